//! PostgreSQL's programs: those of this machine, else the ones Maven brings.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    ServerError,
    maven::{self, Missing},
    paths,
};

const ARTIFACT_VERSION: &str = "17.6.0";

/// The migrations use what version 15 brought.
const OLDEST_MAJOR: u32 = 15;

/// The folder that holds `postgres` and `initdb`, of version 15 or later. Downloads them where
/// the machine has none.
pub(super) async fn find() -> Result<PathBuf, ServerError> {
    match installed() {
        Some(folder) => Ok(folder),
        None => download().await,
    }
}

/// Whether [`find`] will download.
pub(super) fn must_be_fetched() -> bool {
    installed().is_none()
        && paths::within_reach(&paths::home()).is_ok_and(|home| !fetched(&home).is_dir())
}

fn fetched(home: &Path) -> PathBuf {
    home.join(format!("postgres-{ARTIFACT_VERSION}"))
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    on_path.into_iter().chain(debian()).chain(configured()).find(|folder| is_usable(folder))
}

/// Debian's versions, newest first.
fn debian() -> Vec<PathBuf> {
    let Ok(entries) = Path::new("/usr/lib/postgresql").read_dir() else { return Vec::new() };
    let mut versions: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
        .into_iter()
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
        .collect()
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn is_usable(folder: &Path) -> bool {
    if !folder.join("initdb").is_file() {
        return false;
    }
    let Ok(output) = Command::new(folder.join("postgres")).arg("--version").output() else {
        return false;
    };
    major(&String::from_utf8_lossy(&output.stdout)).is_some_and(|major| major >= OLDEST_MAJOR)
}

/// Of `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`, the 15.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

async fn download() -> Result<PathBuf, ServerError> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64v8",
        _ => return Err(MISSING),
    };
    let home = paths::within_reach(&paths::home())?;
    let folder = fetched(&home);
    maven::make_once("PostgreSQL", &folder, async |folder| {
        let log = home.join("maven.log");
        let artifact = format!(
            "-Dartifact=io.zonky.test.postgres:embedded-postgres-binaries-linux-{architecture}\
             :{ARTIFACT_VERSION}"
        );
        let output = format!("-DoutputDirectory={}", folder.display());
        let goal = format!("{}:copy", maven::DEPENDENCY_PLUGIN);
        maven::run("PostgreSQL", &[&goal, &artifact, &output], &log).await.map_err(|error| {
            if let ServerError::Missing { .. } = error { MISSING } else { error }
        })?;
        unpack(folder, &log).await
    })
    .await?;
    Ok(folder.join("bin"))
}

const MISSING: ServerError = ServerError::Missing {
    what: "PostgreSQL 15 or later",
    fix: "apt-get install -y --no-install-recommends postgresql",
};

/// The jar holds one `.txz`, which holds the programs.
async fn unpack(folder: &Path, log: &Path) -> Result<(), ServerError> {
    let jar = only(folder, "jar")?;
    let mut unzip = Command::new("unzip");
    unzip.args(["-q", "-o"]).arg(&jar).arg("*.txz").arg("-d").arg(folder);
    let missing =
        Missing { what: "unzip", fix: "apt-get install -y --no-install-recommends unzip xz-utils" };
    maven::run_to_end("PostgreSQL", unzip, log, missing).await?;
    let archive = only(folder, "txz")?;
    let mut tar = Command::new("tar");
    tar.args(["--no-same-owner", "-xJf"]).arg(&archive).arg("-C").arg(folder);
    let missing =
        Missing { what: "tar", fix: "apt-get install -y --no-install-recommends tar xz-utils" };
    maven::run_to_end("PostgreSQL", tar, log, missing).await?;
    std::fs::remove_file(jar)?;
    std::fs::remove_file(archive)?;
    Ok(())
}

fn only(folder: &Path, extension: &str) -> Result<PathBuf, ServerError> {
    let found = folder.read_dir()?.flatten().map(|entry| entry.path());
    found.into_iter().find(|path| path.extension().is_some_and(|e| e == extension)).ok_or_else(
        || ServerError::NotStarted {
            part: "PostgreSQL",
            reason: format!("{} holds no .{extension} file", folder.display()),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_way_a_version_is_written() {
        assert_eq!(major("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("postgres (PostgreSQL) 17.6"), Some(17));
        assert_eq!(major("no such thing"), None);
    }

    #[tokio::test]
    async fn what_maven_brings_runs() {
        let folder = download().await.expect("downloads");
        assert!(is_usable(&folder));
    }
}
