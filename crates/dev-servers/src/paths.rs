//! Where things live on this machine: data that outlives a run, and downloads.

use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::{Uid, User, chown};
use sha2::{Digest, Sha256};

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

/// `folder`, made if missing as [`make_own`] does. Where this is root and user nobody cannot reach
/// it (such as below /root), a folder in /var/tmp that takes its place.
pub fn within_reach(folder: &Path) -> io::Result<PathBuf> {
    let mut folder = std::path::absolute(folder)?;
    if !folder.parent().is_none_or(is_within_reach) {
        folder = PathBuf::from(format!("/var/tmp/karcis-{}", fingerprint(folder.as_os_str())));
    }
    make_own(&folder)?;
    Ok(folder)
}

/// Makes a folder that others can neither list nor enter, also among those of others, such as in /tmp.
/// Where this is root, user nobody can pass through, as whom PostgreSQL runs. One that is there has to
/// be ours.
pub fn make_own(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    is_own(folder)?;
    close_to_others(folder)
}

/// Fails if this is no folder, or another user's.
pub fn is_own(folder: &Path) -> io::Result<()> {
    let metadata = folder.symlink_metadata()?;
    if !metadata.is_dir() || metadata.uid() != Uid::effective().as_raw() {
        let folder = folder.display();
        return Err(io::Error::other(format!("{folder} is not our own folder: choose another")));
    }
    Ok(())
}

/// Takes all rights from others; where this is root, user nobody may pass through.
pub(crate) fn close_to_others(folder: &Path) -> io::Result<()> {
    let nobody = nobody_or_none()?;
    if let Some(nobody) = &nobody {
        chown(folder, None, Some(nobody.gid))?;
    }
    let mode = if nobody.is_some() { 0o710 } else { 0o700 };
    std::fs::set_permissions(folder, Permissions::from_mode(mode))
}

/// A parent for temporary folders that the user `nobody` can reach.
pub fn temporary() -> PathBuf {
    let parent = std::env::temp_dir();
    if is_within_reach(&parent) { parent } else { PathBuf::from("/var/tmp") }
}

fn is_within_reach(folder: &Path) -> bool {
    !Uid::effective().is_root() || folder.ancestors().all(lets_nobody_pass)
}

/// A folder that does not exist yet counts as open: it is created so.
fn lets_nobody_pass(folder: &Path) -> bool {
    folder.metadata().map_or(true, |metadata| {
        let is_of_their_group = || {
            let nobody = nobody_or_none().ok().flatten();
            nobody.is_some_and(|nobody| nobody.gid.as_raw() == metadata.gid())
        };
        metadata.mode() & 0o001 != 0 || metadata.mode() & 0o010 != 0 && is_of_their_group()
    })
}

fn nobody_or_none() -> io::Result<Option<User>> {
    if Uid::effective().is_root() { Ok(User::from_name("nobody")?) } else { Ok(None) }
}

/// The user as whom a server runs that refuses to run as root: nobody, if this is root.
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

/// Opens a file to lock, made if missing. It waits for nothing, whatever stands there.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    open_file(path, &mut options)
}

/// Opens a regular file alone: opening a pipe, which another user may have put into /tmp, would wait
/// for its other end.
pub(crate) fn open_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW;
    let file = options.custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("{} is no regular file", path.display())));
    }
    Ok(file)
}

/// The lock on this file; `None` if another still holds it after `timeout`.
pub async fn lock(path: &Path, timeout: Duration) -> io::Result<Option<File>> {
    let file = lock_file(path)?;
    let deadline = tokio::time::Instant::now() + timeout;
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

/// Twelve hex digits that differ where the content differs.
pub fn fingerprint(content: impl AsRef<std::ffi::OsStr>) -> String {
    let digest = Sha256::digest(content.as_ref().as_encoded_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
