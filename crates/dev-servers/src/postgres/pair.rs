//! A primary and its synchronous standby, as child processes that can be killed, frozen, started again and
//! promoted.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};

use super::{PART, PASSWORD, Postgres, PostgresOptions};
use crate::{
    ServerError,
    maven::{self, Missing},
    paths, secret,
};

/// A commit waits for the standby, and what the standby lacks is kept for it.
const PRIMARY: &[&str] = &["synchronous_standby_names=standby", "wal_keep_size=2GB"];

/// How long a server has to answer: one that is frozen accepts connections.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// One of the two, as they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Primary,
    Standby,
}

/// Two servers of the same data. They stop when this is dropped or when this process ends.
pub struct PostgresPair {
    folders: [PathBuf; 2],
    ports: [u16; 2],
    password: String,
    servers: [Option<Postgres>; 2],
}

impl PostgresPair {
    /// Makes both, with their data in this folder, and waits until the standby follows.
    pub async fn start(folder: &Path) -> Result<Self, ServerError> {
        let folders = ["postgres-primary", "postgres-standby"].map(|name| folder.join(name));
        let [primary, standby] =
            [paths::within_reach(&folders[0])?, paths::within_reach(&folders[1])?];
        let made = Postgres::start(options(&primary, 0)).await?;
        let (port, password) = (made.port(), made.password.clone());
        made.stop().await?;
        copy(&primary, &standby, port, &password).await?;
        let mut pair =
            Self { folders: [primary, standby], ports: [port, 0], password, servers: [None, None] };
        pair.restart(Member::Primary).await?;
        pair.restart(Member::Standby).await?;
        Ok(pair)
    }

    /// The superuser's URL of database `postgres`, with both hosts.
    pub fn url(&self) -> String {
        self.url_at(&self.ports.map(|port| format!("127.0.0.1:{port}")).join(","))
    }

    /// The superuser's URL of database `postgres` of this one alone.
    pub fn url_of(&self, member: Member) -> String {
        self.url_at(&format!("127.0.0.1:{}", self.ports[member as usize]))
    }

    fn url_at(&self, hosts: &str) -> String {
        format!("postgres://postgres:{}@{hosts}/postgres", self.password)
    }

    /// Kills it as `kill -9` does: it finishes nothing.
    pub async fn kill(&mut self, member: Member) {
        let killed = self.servers[member as usize].take().expect("it runs");
        killed.signal_all(Signal::SIGKILL);
        killed.exited().await;
    }

    /// Starts a killed one where it was, with what it had.
    pub async fn restart(&mut self, member: Member) -> Result<(), ServerError> {
        let (settings, index): (&'static [&'static str], _) = match member {
            Member::Primary => (PRIMARY, 0),
            Member::Standby => (&[], 1),
        };
        assert!(self.servers[index].is_none(), "it runs");
        let options = options(&self.folders[index], self.ports[index]);
        let server = Postgres::start_with(settings, None, options).await?;
        self.ports[index] = server.port();
        self.servers[index] = Some(server);
        Ok(())
    }

    /// Freezes all its processes: it accepts connections and answers nothing.
    pub fn freeze(&self, member: Member) {
        self.signal(member, Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn thaw(&self, member: Member) {
        self.signal(member, Signal::SIGCONT);
    }

    fn signal(&self, member: Member, signal: Signal) {
        let server = self.servers[member as usize].as_ref().expect("it runs");
        server.signal_all(signal);
    }

    /// Makes the standby the primary, and waits until it takes writes. The old primary is to be dead, or cut
    /// off: this does not see to it.
    pub async fn promote(&self) -> Result<(), sqlx::Error> {
        let mut standby = PgConnection::connect(&self.url_of(Member::Standby)).await?;
        sqlx::query("SELECT pg_promote(true, 60)").execute(&mut standby).await.map(drop)
    }

    /// Whether the standby has all that the primary has acknowledged: then the primary may go.
    pub async fn is_in_sync(&self) -> bool {
        let ask = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let asked = tokio::time::timeout(ANSWERS_WITHIN, async {
            let mut primary = PgConnection::connect(&self.url_of(Member::Primary)).await?;
            sqlx::query_scalar::<_, i64>(ask).fetch_one(&mut primary).await
        });
        matches!(asked.await, Ok(Ok(1)))
    }
}

impl Drop for PostgresPair {
    /// One that is frozen would not hear that it has to stop.
    fn drop(&mut self) {
        for server in self.servers.iter().flatten() {
            server.signal_all(Signal::SIGCONT);
        }
    }
}

fn options(data: &Path, port: u16) -> PostgresOptions {
    PostgresOptions { data: data.to_owned(), port, durable: true, outlives_parent: false }
}

/// A server that was stopped in order is copied as it lies, and follows the first.
async fn copy(
    primary: &Path,
    standby: &Path,
    port: u16,
    password: &str,
) -> Result<(), ServerError> {
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(primary.join("cluster")).arg(standby);
    let missing = Missing { what: "cp", fix: "apt-get install -y coreutils" };
    maven::run_to_end(PART, copy, &standby.join("copy.log"), missing).await?;
    secret::keep(&standby.join(PASSWORD), password)?;
    let follow = format!(
        "primary_conninfo = 'host=127.0.0.1 port={port} user=postgres password={password} \
         application_name=standby'\n"
    );
    let cluster = standby.join("cluster");
    for (file, content) in [("postgresql.auto.conf", follow.as_str()), ("standby.signal", "")] {
        secret::keep(&cluster.join(file), content)?;
        paths::give(&cluster.join(file), paths::nobody()?.as_ref())?;
    }
    Ok(())
}
