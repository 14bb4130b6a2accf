//! Compiles the app in: a table of its files, by their paths.

use std::{env, fmt::Write, fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("app");
    let mut table = String::from("&[\n");
    add(&folder, "", &mut table)?;
    table.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("app.rs"), table)
}

/// Adds what is below the folder, whose path begins the files'.
fn add(folder: &Path, path: &str, table: &mut String) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let name = format!("{path}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            add(&entry.path(), &format!("{name}/"), table)?;
        } else {
            writeln!(table, "    ({name:?}, include_bytes!({:?})),", entry.path())
                .map_err(io::Error::other)?;
        }
    }
    Ok(())
}
