//! Servers for all test binaries of one cargo run: the first binary starts them, the others find
//! them in a file, and a guard stops them once that cargo has ended.

use std::{fs, os::unix::process::parent_id, path::Path, time::Duration};

use karcis_dev_servers::paths;

use crate::{
    guard,
    lifetime::Lifetime,
    processes::Identity,
    servers::{Failure, Servers},
};

/// Time for another binary's start, with its downloads.
const LOCK_TIMEOUT: Duration = Duration::from_secs(900);

/// The cargo that runs this binary.
pub(crate) fn cargo() -> Option<Identity> {
    let parent = parent_id();
    let name = fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    if name.starts_with("cargo") { Identity::of(parent) } else { None }
}

/// The servers of this cargo's run.
pub(crate) async fn of_run(
    cargo: Identity,
    start: impl AsyncFnOnce(&Lifetime) -> Result<Servers, Failure>,
) -> Result<Servers, Failure> {
    let folder = paths::temporary().join(format!("karcis-tests-{}-{}", cargo.pid, cargo.started));
    paths::make_own(&folder)?;
    let lock = paths::lock(&folder.join("lock"), LOCK_TIMEOUT).await?;
    let _lock = lock.ok_or("another test binary is still starting the servers")?;
    let file = folder.join("servers.json");
    if let Ok(found) = fs::read(&file) {
        return Ok(serde_json::from_slice(&found)?);
    }
    // The guard of a cargo that has ended has gone, or goes as soon as it gets the lock.
    if !cargo.is_alive() {
        return start(Lifetime::of_this_process()).await;
    }
    guard_once(cargo, &folder)?;
    let servers = start(&Lifetime::beyond_this_process(folder.clone())?).await?;
    fs::write(folder.join("servers.new"), serde_json::to_vec(&servers)?)?;
    fs::rename(folder.join("servers.new"), file)?;
    Ok(servers)
}

/// A start that failed leaves its guard to the next.
fn guard_once(cargo: Identity, folder: &Path) -> std::io::Result<()> {
    let guarded = folder.join("guarded");
    if !guarded.exists() {
        guard::after(cargo, folder)?;
        fs::write(guarded, "")?;
    }
    Ok(())
}
