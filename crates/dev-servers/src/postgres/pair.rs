//! A primary and its synchronous standby, as child processes that can be killed, frozen, started again,
//! promoted and replaced.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};

use super::{PART, PASSWORD, Postgres, PostgresOptions, binaries, command};
use crate::{
    ServerError,
    maven::{self, Missing},
    paths, secret,
};

/// What a standby lacks is kept for it.
const SETTINGS: &[&str] = &["wal_keep_size=2GB"];

/// How long a server has to answer: one that is frozen accepts connections.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// One of the two, as they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Primary,
    Standby,
}

impl Member {
    fn other(self) -> Self {
        match self {
            Self::Primary => Self::Standby,
            Self::Standby => Self::Primary,
        }
    }
}

/// Two servers of the same data. They stop when this is dropped or when this process ends.
pub struct PostgresPair {
    folders: [PathBuf; 2],
    ports: [u16; 2],
    password: String,
    servers: [Option<Postgres>; 2],
    /// Whom the other one was made to follow.
    primary: Member,
}

impl PostgresPair {
    /// Makes both, with their data in this folder, and waits until the standby follows.
    pub async fn start(folder: &Path) -> Result<Self, ServerError> {
        let folders = ["postgres-primary", "postgres-standby"].map(|name| folder.join(name));
        let folders = [paths::within_reach(&folders[0])?, paths::within_reach(&folders[1])?];
        let primary = Postgres::start_with(SETTINGS, None, options(&folders[0], 0)).await?;
        let mut pair = Self {
            folders,
            ports: [primary.port(), 0],
            password: primary.password.clone(),
            servers: [Some(primary), None],
            primary: Member::Primary,
        };
        pair.follow().await?;
        Ok(pair)
    }

    /// Makes the other one of what the primary has; from then on commits wait for it.
    async fn follow(&mut self) -> Result<(), ServerError> {
        let (primary, standby) = (self.primary as usize, self.standby() as usize);
        copy(self.ports[primary], &self.password, &self.folders[standby]).await?;
        self.restart(self.standby()).await?;
        let wait = async {
            let mut primary = PgConnection::connect(&self.url_of(self.primary)).await?;
            let names = "ALTER SYSTEM SET synchronous_standby_names = standby";
            sqlx::query(names).execute(&mut primary).await?;
            sqlx::query("SELECT pg_reload_conf()").execute(&mut primary).await
        };
        wait.await.map(drop).map_err(|error| io::Error::other(error).into())
    }

    /// The one that the other follows, until [`Self::rebuild`] says otherwise.
    pub fn primary(&self) -> Member {
        self.primary
    }

    /// The one that follows, or was promoted.
    pub fn standby(&self) -> Member {
        self.primary.other()
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

    /// Starts a killed one where it was, with what it had; one that runs goes on.
    pub async fn restart(&mut self, member: Member) -> Result<(), ServerError> {
        let index = member as usize;
        if self.servers[index].is_none() {
            let options = options(&self.folders[index], self.ports[index]);
            let server = Postgres::start_with(SETTINGS, None, options).await?;
            self.ports[index] = server.port();
            self.servers[index] = Some(server);
        }
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
        let mut standby = PgConnection::connect(&self.url_of(self.standby())).await?;
        sqlx::query("SELECT pg_promote(true, 60)").execute(&mut standby).await.map(drop)
    }

    /// Once the standby is promoted: the old primary is gone for good with all it had, and in its place comes a
    /// standby of the new one.
    pub async fn rebuild(&mut self) -> Result<(), ServerError> {
        let gone = self.primary;
        if self.servers[gone as usize].is_some() {
            self.kill(gone).await;
        }
        std::fs::remove_dir_all(self.folders[gone as usize].join("cluster"))?;
        self.primary = gone.other();
        self.follow().await
    }

    /// Whether the standby has all that the primary has acknowledged: then the primary may go.
    pub async fn is_in_sync(&self) -> bool {
        let ask = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let asked = tokio::time::timeout(ANSWERS_WITHIN, async {
            let mut primary = PgConnection::connect(&self.url_of(self.primary)).await?;
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

/// Copies the server at this port while it runs; what is copied follows it.
async fn copy(port: u16, password: &str, standby: &Path) -> Result<(), ServerError> {
    let owner = paths::nobody()?;
    let unfinished = standby.join("cluster.unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    paths::make_private(&unfinished, owner.as_ref())?;
    // Beside the program itself, of which there may be but a link here.
    let initdb = binaries::find().await?.join("initdb").canonicalize()?;
    let mut copy = command(initdb.with_file_name("pg_basebackup"), standby, owner.as_ref());
    copy.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", "--no-password"]);
    copy.args(["--checkpoint=fast", "--no-sync", "-D"]).arg(&unfinished);
    copy.env("PGPASSWORD", password);
    let missing = Missing { what: "pg_basebackup", fix: "apt-get install -y postgresql" };
    maven::run_to_end(PART, copy, &standby.join("copy.log"), missing).await?;
    secret::keep(&standby.join(PASSWORD), password)?;
    let follow = format!(
        "primary_conninfo = 'host=127.0.0.1 port={port} user=postgres password={password} \
         application_name=standby'\n"
    );
    for (file, content) in [("postgresql.auto.conf", follow.as_str()), ("standby.signal", "")] {
        secret::keep(&unfinished.join(file), content)?;
        paths::give(&unfinished.join(file), owner.as_ref())?;
    }
    Ok(std::fs::rename(unfinished, standby.join("cluster"))?)
}
