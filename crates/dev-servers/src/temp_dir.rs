//! A folder that does not outlive its owner, even one that is killed.

use std::{
    fs::{File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::paths;

const PREFIX: &str = "karcis-temp-";
const LOCK: &str = "owned";

/// A folder that is deleted when the value is dropped, or, where this process was killed, by the
/// next [`TempDir::new`] of any process. User nobody can reach it.
pub struct TempDir {
    folder: tempfile::TempDir,
    _lock: File,
}

impl TempDir {
    /// An empty folder.
    pub fn new() -> io::Result<Self> {
        let parent = paths::temporary();
        for entry in parent.read_dir()?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                sweep(&entry.path());
            }
        }
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // It gets its name once it is locked, or a sweep might be the first to lock it.
        let unlocked = folder.path().join("unlocked");
        let lock = paths::lock_file(&unlocked)?;
        lock.lock()?;
        std::fs::rename(unlocked, folder.path().join(LOCK))?;
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Deletes the folder if its owner is gone. One without a lock file is being made just now.
fn sweep(folder: &Path) {
    let owned = File::open(folder.join(LOCK));
    if owned.is_ok_and(|lock| lock.try_lock().is_ok()) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_deleted_with_its_owner() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().to_owned();
        sweep(&path);
        assert!(path.is_dir(), "no other process deletes it");
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn none_is_swept_while_it_is_made() {
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..250 {
                        let folder = TempDir::new().expect("a folder");
                        assert!(folder.path().is_dir(), "another process deleted it");
                    }
                });
            }
        });
    }

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.folder.keep();
        drop(folder._lock);
        sweep(&path);
        assert!(!path.exists());
    }
}
