//! Maven, which fetches the servers once.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    ServerError,
    child::{Child, StopSignals},
    log_file::LogFile,
    paths,
};

/// The plugin that copies artifacts.
pub(crate) const DEPENDENCY_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/// Downloads take minutes on a slow line; another process's download is waited for as long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(900);

/// Makes `folder` by `fill`, once for all processes: where it exists it is complete.
pub(crate) async fn make_once(
    part: &'static str,
    folder: &Path,
    fill: impl AsyncFnOnce(&Path) -> Result<(), ServerError>,
) -> Result<(), ServerError> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(_lock) = paths::lock(&beside(folder, ".lock"), TIMEOUT).await? else {
        return Err(ServerError::NotStarted {
            part,
            reason: format!("another process is still making {}", folder.display()),
        });
    };
    if folder.is_dir() {
        return Ok(());
    }
    let unfinished = beside(folder, ".unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    std::fs::create_dir(&unfinished)?;
    fill(&unfinished).await?;
    std::fs::rename(&unfinished, folder)?;
    Ok(())
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut path = folder.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Runs Maven.
pub(crate) async fn run(
    part: &'static str,
    arguments: &[&str],
    log: &Path,
) -> Result<(), ServerError> {
    let mut command = Command::new("mvn");
    // A file that does not have its checksum is no warning but an error.
    command.args(["-q", "-B", "--strict-checksums"]).args(arguments);
    let missing = Missing {
        what: "Maven (mvn)",
        fix: "apt-get install -y --no-install-recommends maven default-jre-headless",
    };
    run_to_end(part, command, log, missing).await.map_err(|error| match error {
        ServerError::NotStarted { part, reason } => ServerError::NotFetched { part, reason },
        other => other,
    })
}

/// What to say when a program is not installed.
pub(crate) struct Missing {
    /// The program.
    pub what: &'static str,
    /// The command that installs it.
    pub fix: &'static str,
}

/// Runs a command that ends by itself.
pub(crate) async fn run_to_end(
    part: &'static str,
    mut command: Command,
    log: &Path,
    missing: Missing,
) -> Result<(), ServerError> {
    let log = LogFile::attach(log, &mut command)?;
    let program = command.get_program().to_string_lossy().into_owned();
    let child = match Child::spawn(command, StopSignals::KILL, Vec::new()) {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ServerError::Missing { what: missing.what, fix: missing.fix });
        }
        Err(error) => return Err(error.into()),
    };
    let status = child.exited().await;
    if status.success() {
        return Ok(());
    }
    let reason = format!("{program} ended with {status}; {}", log.last_lines());
    Err(ServerError::NotStarted { part, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_download_says_why() {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let failed = run("Kafka", &["-o", "no-such-phase"], log.path()).await;
        let Err(ServerError::NotFetched { part: "Kafka", reason }) = failed else {
            panic!("it should not have been fetched: {failed:?}");
        };
        assert!(reason.contains("no-such-phase"), "{reason}");
    }
}
