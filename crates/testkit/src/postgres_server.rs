//! A Postgres of a test's own, to be killed and started.

use karcis_dev_servers::{ports, postgres::Postgres, secret};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{Connection, PgConnection};
use testcontainers_modules::{postgres, testcontainers::ContainerAsync};
use uuid::Uuid;

use crate::{
    containers::{self, Durable},
    eventually,
    full_disk::Disk,
    lifetime::Lifetime,
    native,
    servers::{Stack, servers},
};

/// A database server that keeps its port and what was committed when it is killed.
pub struct PostgresServer {
    name: String,
    url: String,
    runs_in: RunsIn,
    /// One that a test can fill.
    disk: Option<Disk>,
}

enum RunsIn {
    Container(Box<ContainerAsync<postgres::Postgres>>),
    Child(Postgres),
    Nothing { port: u16 },
}

impl PostgresServer {
    /// Starts it in what the shared servers run in.
    pub async fn start() -> Self {
        let name = format!("postgres-{}", Uuid::now_v7().simple());
        let lifetime = Lifetime::of_this_process();
        let (url, runs_in) = match servers().stack {
            Stack::Containers => {
                let [port] = ports::free().expect("a port is free");
                let (url, container) =
                    containers::postgres(lifetime, &secret::draw(), Durable::On(port))
                        .await
                        .expect("Postgres starts");
                (url, RunsIn::Container(Box::new(container)))
            }
            Stack::Native => {
                let server = native::durable_postgres(lifetime, &name, 0, None).await;
                let server = server.expect("Postgres starts");
                (server.url(), RunsIn::Child(server))
            }
        };
        Self { name, url, runs_in, disk: None }
    }

    /// Starts it on a disk that a test can fill: a child process, whatever the shared servers run in.
    pub async fn on_a_disk() -> Self {
        let name = format!("postgres-{}", Uuid::now_v7().simple());
        let lifetime = Lifetime::of_this_process();
        let disk = Disk::of(&lifetime.data.join(&name), "cluster");
        let server = native::durable_postgres(lifetime, &name, 0, Some(&disk.library)).await;
        let server = server.expect("Postgres starts");
        Self { name, url: server.url(), runs_in: RunsIn::Child(server), disk: Some(disk) }
    }

    /// Leaves no room on its disk: it can write only what it has room for in its files.
    pub fn fill_disk(&self) {
        self.disk.as_ref().expect("it was started on a disk").fill();
    }

    /// Somebody has made room on its disk.
    pub fn make_room(&self) {
        self.disk.as_ref().expect("it was started on a disk").make_room();
    }

    /// The superuser's URL of database `postgres`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills it as `kill -9` does: it finishes nothing, and has to recover.
    pub async fn kill(&mut self) {
        match &self.runs_in {
            RunsIn::Container(container) => {
                container.stop_with_timeout(Some(0)).await.expect("the container ends");
            }
            RunsIn::Child(server) => {
                let pid = server.pid().try_into().expect("a pid is an i32");
                kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it runs");
                server.exited().await;
                self.runs_in = RunsIn::Nothing { port: server.port() };
            }
            RunsIn::Nothing { .. } => panic!("it is killed"),
        }
        assert!(PgConnection::connect(&self.url).await.is_err(), "the database still answers");
    }

    /// Starts it where it was, with what was committed.
    pub async fn start_again(&mut self) {
        match self.runs_in {
            RunsIn::Container(ref container) => {
                container.start().await.expect("the container starts");
            }
            RunsIn::Nothing { port } => {
                let lifetime = Lifetime::of_this_process();
                let library = self.disk.as_ref().map(|disk| disk.library.as_path());
                let server = native::durable_postgres(lifetime, &self.name, port, library).await;
                self.runs_in = RunsIn::Child(server.expect("Postgres starts"));
            }
            RunsIn::Child(_) => panic!("it runs"),
        }
        eventually(async || PgConnection::connect(&self.url).await.map(drop)).await;
    }
}
