//! Servers for all test binaries of one cargo run: the first binary starts them, the others find
//! them in a file, and a guard stops them once that cargo has ended.

use std::{
    fs, io,
    os::unix::{fs::MetadataExt, process::parent_id},
    time::Duration,
};

use karcis_dev_servers::{paths, secret};
use nix::unistd::Uid;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    guard,
    lifetime::{Failure, Lifetime},
    processes::Identity,
};

/// Time for another binary's start, with its downloads.
const LOCK_TIMEOUT: Duration = Duration::from_secs(900);

/// The cargo that runs this binary.
pub(crate) fn cargo() -> Option<Identity> {
    let parent = parent_id();
    let name = fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    if name.starts_with("cargo") { Identity::of(parent) } else { None }
}

/// The servers of this cargo's run, started if it has none or if they do not answer.
pub(crate) async fn of_run<S: Serialize + DeserializeOwned>(
    cargo: Identity,
    answers: impl FnOnce(&S) -> bool,
    start: impl AsyncFnOnce(&Lifetime) -> Result<S, Failure>,
) -> Result<S, Failure> {
    if !cargo.is_alive() {
        return start(Lifetime::of_this_process()).await;
    }
    let folder = paths::temporary().join(name(cargo));
    paths::make_own(&folder)?;
    // As the kernel shows it, which is what the guard looks for.
    let folder = folder.canonicalize()?;
    let lock = paths::lock(&folder.join("lock"), LOCK_TIMEOUT).await?;
    let _lock = lock.ok_or("another test binary is still starting the servers")?;
    // The guard of a cargo that has ended has gone, or goes as soon as it gets the lock.
    if !cargo.is_alive() {
        return start(Lifetime::of_this_process()).await;
    }
    guard::after(cargo, &folder)?;
    let file = folder.join("servers.json");
    if let Ok(found) = fs::read(&file) {
        let servers = serde_json::from_slice(&found)?;
        if answers(&servers) {
            return Ok(servers);
        }
    }
    clean_up_after_killed_guards()?;
    let servers = start(&Lifetime::beyond_this_process(folder.clone())?).await?;
    secret::keep(&file, &serde_json::to_string(&servers)?)?;
    Ok(servers)
}

const PREFIX: &str = "karcis-tests-";

/// The name of the folder of this cargo's run.
fn name(cargo: Identity) -> String {
    format!("{PREFIX}{}-{}", cargo.pid, cargo.started)
}

/// The cargo whose run has the folder of this name.
fn cargo_of(name: &str) -> Option<Identity> {
    let (pid, started) = name.strip_prefix(PREFIX)?.split_once('-')?;
    Some(Identity { pid: pid.parse().ok()?, started: started.parse().ok()? })
}

/// Gives new guards to folders of runs that have ended.
fn clean_up_after_killed_guards() -> io::Result<()> {
    for entry in fs::read_dir(paths::temporary())?.flatten() {
        let cargo = entry.file_name().to_str().and_then(cargo_of).filter(|it| !it.is_alive());
        let is_own = || entry.metadata().is_ok_and(|it| it.uid() == Uid::effective().as_raw());
        // One that has just gone needs no guard.
        if let (Some(cargo), true, Ok(folder)) = (cargo, is_own(), entry.path().canonicalize()) {
            guard::after(cargo, &folder)?;
        }
    }
    Ok(())
}
