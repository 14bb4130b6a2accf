//! Where things live on this machine: data that outlives a run, downloads, data to throw away.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::{Uid, User, chown};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The folder of this build's own: `target/karcis`; for a binary outside a build folder,
/// `~/.cache/karcis`.
pub fn home() -> PathBuf {
    // Cargo puts this tag into every build folder.
    let target = std::env::current_exe().ok().and_then(|exe| {
        exe.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
    });
    let cache = || {
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home)
    };
    target.or_else(cache).unwrap_or_else(std::env::temp_dir).join("karcis")
}

/// `folder`, made if missing; or, where this is root and user nobody cannot reach it (such as below
/// /root), a folder of the same fate in /var/tmp.
pub fn within_reach(folder: &Path) -> io::Result<PathBuf> {
    let folder = std::path::absolute(folder)?;
    if is_within_reach(&folder) {
        make(&folder)?;
        return Ok(folder);
    }
    let other = PathBuf::from(format!("/var/tmp/karcis-{}", fingerprint(folder.as_os_str())));
    make(&other)?;
    // Anyone may write to /var/tmp.
    let metadata = other.symlink_metadata()?;
    if !metadata.is_dir() || metadata.uid() != Uid::effective().as_raw() {
        return Err(io::Error::other(format!("{} belongs to somebody else", other.display())));
    }
    Ok(other)
}

fn is_within_reach(folder: &Path) -> bool {
    !Uid::effective().is_root() || folder.ancestors().all(open_to_all)
}

/// What is not there yet will be made open.
fn open_to_all(folder: &Path) -> bool {
    folder.metadata().map_or(true, |metadata| metadata.mode() & 0o001 != 0)
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)
}

/// A folder that is deleted when the value is dropped, or, where this process was killed, by the
/// next call of any process. User nobody can reach it.
pub fn throwaway() -> io::Result<Throwaway> {
    let mut parent = std::env::temp_dir();
    if !is_within_reach(&parent) {
        parent = PathBuf::from("/var/tmp");
    }
    for entry in parent.read_dir()?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            sweep(&entry.path());
        }
    }
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
    // It gets its name once it is locked, or a sweep might be the first to lock it.
    let unlocked = folder.path().join("unlocked");
    let lock = lock_file(&unlocked)?;
    lock.lock()?;
    std::fs::rename(unlocked, folder.path().join(LOCK))?;
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
    Ok(Throwaway { folder, _lock: lock })
}

/// See [`throwaway`].
pub struct Throwaway {
    folder: TempDir,
    _lock: File,
}

impl Throwaway {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

const PREFIX: &str = "karcis-throwaway-";
const LOCK: &str = "owned";

/// Deletes the folder if its owner is gone. One without a lock file is being made just now.
fn sweep(folder: &Path) {
    let owned = File::open(folder.join(LOCK));
    if owned.is_ok_and(|lock| lock.try_lock().is_ok()) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// Whom a server that refuses to run as root runs as: nobody, if this is root.
pub(crate) fn nobody() -> io::Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    match User::from_name("nobody")? {
        Some(nobody) => Ok(Some(nobody)),
        None => Err(io::Error::other("PostgreSQL refuses to run as root, and no user is nobody")),
    }
}

/// Makes a private folder for that user.
pub(crate) fn make_private(folder: &Path, owner: Option<&User>) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    give(folder, owner)
}

/// Makes the user the owner.
pub(crate) fn give(path: &Path, owner: Option<&User>) -> io::Result<()> {
    if let Some(owner) = owner {
        chown(path, Some(owner.uid), Some(owner.gid))?;
    }
    Ok(())
}

/// Opens a file to lock, made if missing.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

/// The lock on this file, waited for as long as `patience`; `None` if another keeps it.
pub(crate) async fn lock(path: &Path, patience: Duration) -> io::Result<Option<File>> {
    let file = lock_file(path)?;
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if tokio::time::Instant::now() > deadline => {
                return Ok(None);
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Twelve hex digits that tell contents apart.
pub(crate) fn fingerprint(content: impl AsRef<std::ffi::OsStr>) -> String {
    let digest = Sha256::digest(content.as_ref().as_encoded_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throwaway_is_deleted_with_its_owner() {
        let throwaway = throwaway().expect("a folder");
        let path = throwaway.path().to_owned();
        sweep(&path);
        assert!(path.is_dir(), "nobody else deletes it");
        drop(throwaway);
        assert!(!path.exists());
    }

    #[test]
    fn none_is_swept_while_it_is_made() {
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..250 {
                        let throwaway = throwaway().expect("a folder");
                        assert!(throwaway.path().is_dir(), "somebody else deleted it");
                    }
                });
            }
        });
    }

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let throwaway = throwaway().expect("a folder");
        let path = throwaway.folder.keep();
        drop(throwaway._lock);
        sweep(&path);
        assert!(!path.exists());
    }
}
