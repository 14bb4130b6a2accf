//! Passwords that are drawn once and kept beside the data that they open.

use std::{
    io::{self, Write},
    path::Path,
};

/// The password that this file holds; if there is no file, a new one that it holds from now on. Only
/// the file's owner can read it.
pub fn kept_in(file: &Path) -> io::Result<String> {
    match std::fs::read_to_string(file) {
        Ok(kept) if !kept.is_empty() => return Ok(kept),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let drawn = draw();
    keep(file, &drawn)?;
    Ok(drawn)
}

/// Makes this file hold a password, or settings with one in them.
pub fn keep(file: &Path, content: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    // It gets its name once it is whole, and the owner's rights from the start.
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    unfinished.write_all(content.as_bytes())?;
    unfinished.persist(file)?;
    Ok(())
}

/// 192 random bits as hex digits, which need no escape in a URL, a shell or a file of settings.
pub fn draw() -> String {
    let bits: [u8; 24] = rand::random();
    bits.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_password_is_drawn_once_and_readable_by_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        let drawn = kept_in(&file).expect("can be kept");
        assert_eq!(drawn.len(), 48);
        assert_eq!(kept_in(&file).expect("can be read"), drawn);
        let mode = file.metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_ne!(draw(), drawn);
    }
}
