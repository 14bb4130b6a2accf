//! Servers as child processes, with their data in a folder that goes when this process ends.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::PathBuf, sync::LazyLock};

use karcis_dev_servers::{
    kafka::{Kafka, KafkaOptions},
    postgres::{Postgres, PostgresOptions},
};

use crate::{
    guard::{self, Note},
    servers::Failure,
};

/// Reads lines of a signal and a pid. A process is ours if it works below our folder, as no process
/// does that is gone or a zombie.
const SCRIPT: &str = r#"
children=$(cat)
folder=$1
runs() { case $(readlink "/proc/$1/cwd") in "$folder"/*) ;; *) false ;; esac; }
echo "$children" | while read -r signal pid; do runs "$pid" && kill -s "$signal" "$pid"; done
echo "$children" | while read -r signal pid; do while runs "$pid"; do sleep 0.02; done; done
rm -rf "$folder"
"#;

/// The folder, with the guard that removes it once the servers have stopped.
static FOLDER: LazyLock<(PathBuf, Note)> = LazyLock::new(|| {
    // Postgres may run as another user, who has to pass through.
    let folder = tempfile::Builder::new()
        .prefix("karcis-tests-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .expect("a temporary folder can be made")
        .keep();
    let note =
        guard::after_this_process(SCRIPT, &folder.to_string_lossy()).expect("a shell starts");
    (folder, note)
});

/// A Postgres on a free port.
pub async fn postgres() -> Result<Postgres, Failure> {
    let (folder, note) = &*FOLDER;
    let options = PostgresOptions { data: folder.join("postgres"), port: 0, durable: false };
    let server = Postgres::start(options).await?;
    note.add(&format!("QUIT {}", server.pid()))?;
    Ok(server)
}

/// A Kafka whose data is in the folder of this name; port 0 takes a free one.
pub async fn kafka(name: &str, port: u16) -> Result<Kafka, Failure> {
    let (folder, note) = &*FOLDER;
    let server = Kafka::start(KafkaOptions { data: folder.join(name), port }).await?;
    note.add(&format!("KILL {}", server.pid()))?;
    Ok(server)
}
