//! A folder that does not outlive its owner, even one that is killed.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use nix::unistd::Uid;

use crate::paths;

const PREFIX: &str = "karcis-temp-";
const LOCK: &str = "owned";

/// A folder that is deleted when the value is dropped, or, where this process was killed, by the
/// next [`TempDir::new`] of the same user. Others cannot look into it; where this is root, user nobody
/// can pass through.
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
        paths::close_to_others(folder.path())?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Deletes the folder if its owner is gone. One without a lock file is being made just now, and one of
/// another user may hold anything.
fn sweep(folder: &Path) {
    let is_ours = |found: io::Result<std::fs::Metadata>| {
        found.is_ok_and(|found| found.uid() == Uid::effective().as_raw())
    };
    if !is_ours(folder.symlink_metadata()) {
        return;
    }
    let owned = paths::open_file(&folder.join(LOCK), OpenOptions::new().read(true));
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
    fn a_pipe_in_the_place_of_a_lock_holds_nobody_up() {
        let trap = TempDir::new().expect("a folder");
        let lock = trap.path().join(LOCK);
        std::fs::remove_file(&lock).expect("is there");
        nix::unistd::mkfifo(&lock, nix::sys::stat::Mode::S_IRWXU).expect("a pipe can be made");
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(TempDir::new().map(drop).is_ok()));
        let made = is_done.recv_timeout(std::time::Duration::from_secs(60));
        assert_eq!(
            made,
            Ok(true),
            "a folder is made although a pipe stands where a lock is looked for"
        );
        assert!(paths::lock_file(&lock).is_err(), "a pipe is no file to lock");
        assert!(trap.path().is_dir());
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
