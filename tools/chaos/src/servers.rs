//! Postgres and Kafka, which chaos kills and freezes by name, and the ways to them, which it cuts.

use std::path::PathBuf;

use karcis_dev_servers::{
    TempDir,
    kafka::{self, Kafka, KafkaOptions},
    ports,
    postgres::{Postgres, PostgresOptions},
};
use karcis_messaging::KafkaSecurity;
use karcis_testkit::{
    SilentProxy, TestEnvironment,
    processes::{descendants, kill_9},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

pub(crate) const POSTGRES: &str = "postgres";
pub(crate) const KAFKA: &str = "kafka";

/// The servers of one fleet. Killed ones keep their ports and what is on their disks.
pub(crate) struct Servers {
    folder: TempDir,
    postgres: Option<Postgres>,
    postgres_port: u16,
    kafka: Option<Kafka>,
    kafka_port: u16,
    /// The ways that can be cut, by name.
    ways: Vec<(String, SilentProxy)>,
}

impl Servers {
    /// Starts them on free ports, with what the services need in them, and with a way of its own to Postgres
    /// for so many instances.
    pub(crate) async fn start(instances: usize) -> (Self, TestEnvironment) {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let [kafka_port] = ports::free().expect("a port is free");
        let broker = format!("127.0.0.1:{kafka_port}");
        let to_kafka = SilentProxy::start(&broker).await;
        let mut servers = Self {
            folder,
            postgres: None,
            postgres_port: 0,
            kafka: None,
            kafka_port,
            ways: vec![(KAFKA.to_owned(), to_kafka)],
        };
        servers.start_again(POSTGRES).await;
        servers.start_again(KAFKA).await;
        let postgres = servers.postgres.as_ref().expect("it was started");
        servers.postgres_port = postgres.port();
        let kafka = servers.kafka.as_ref().expect("it was started");
        let security = KafkaSecurity::plain(kafka::USER, kafka.password());
        let bootstrap_servers = servers.ways[0].1.url(&broker);
        let url = postgres.url();
        let environment = TestEnvironment::on_servers(&url, &bootstrap_servers, security).await;
        for instance in 0..instances {
            let way = SilentProxy::start(environment.database_url()).await;
            servers.ways.push((format!("{POSTGRES}/{instance}"), way));
        }
        (servers, environment)
    }

    /// The database by this instance's own way.
    pub(crate) fn database_url(&self, instance: usize, environment: &TestEnvironment) -> String {
        let way = self.way(&format!("{POSTGRES}/{instance}"));
        way.expect("each instance has one").url(environment.database_url())
    }

    /// What can be killed and frozen.
    pub(crate) fn names() -> [&'static str; 2] {
        [POSTGRES, KAFKA]
    }

    /// The ways that can be cut.
    pub(crate) fn ways(&self) -> impl Iterator<Item = &str> {
        self.ways.iter().map(|(name, _)| name.as_str())
    }

    /// From now on the connections that are open on this way say nothing more.
    pub(crate) fn cut(&self, way: &str) {
        self.way(way).expect("it is one of the ways").silence();
    }

    /// On how many connections an answer was swallowed.
    pub(crate) fn swallowed(&self) -> usize {
        self.ways.iter().map(|(_, way)| way.swallowed()).sum()
    }

    /// Kills a server with signal 9: it finishes nothing.
    pub(crate) async fn kill(&mut self, name: &str) {
        match name {
            POSTGRES => {
                let server = self.postgres.take().expect("it runs");
                kill_9(server.pid());
                server.exited().await;
            }
            _ => {
                let server = self.kafka.take().expect("it runs");
                kill_9(server.pid());
                server.exited().await;
            }
        }
    }

    /// Starts a server where it was, with what it had, and waits until it answers.
    pub(crate) async fn start_again(&mut self, name: &str) {
        match name {
            POSTGRES => {
                let options = PostgresOptions {
                    data: self.data(name),
                    port: self.postgres_port,
                    durable: true,
                    outlives_parent: false,
                };
                self.postgres = Some(Postgres::start(options).await.expect("Postgres starts"));
            }
            _ => {
                let options = KafkaOptions {
                    data: self.data(name),
                    port: self.kafka_port,
                    outlives_parent: false,
                };
                let way = self.way(KAFKA).expect("it was made first").url(&self.broker());
                let proxy_port = way.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
                let kafka = Kafka::start_behind(options, proxy_port).await;
                self.kafka = Some(kafka.expect("Kafka starts"));
            }
        }
    }

    /// Starts those that are killed, and lets frozen ones go on.
    pub(crate) async fn run_again(&mut self) {
        if self.postgres.is_none() {
            self.start_again(POSTGRES).await;
        }
        if self.kafka.is_none() {
            self.start_again(KAFKA).await;
        }
        for name in Self::names() {
            self.thaw(name);
        }
    }

    /// Stops a server as it stands, with all its processes.
    pub(crate) fn freeze(&self, name: &str) {
        self.signal(name, Signal::SIGSTOP);
    }

    /// Lets a frozen one go on.
    pub(crate) fn thaw(&self, name: &str) {
        self.signal(name, Signal::SIGCONT);
    }

    fn signal(&self, name: &str, signal: Signal) {
        let pid = match name {
            POSTGRES => self.postgres.as_ref().map(Postgres::pid),
            _ => self.kafka.as_ref().map(Kafka::pid),
        };
        let pid = pid.expect("it runs");
        // The parent first: it makes no more children then.
        for pid in std::iter::once(pid).chain(descendants(pid)) {
            // A child may just have ended.
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    }

    fn way(&self, name: &str) -> Option<&SilentProxy> {
        self.ways.iter().find(|(of, _)| of == name).map(|(_, way)| way)
    }

    fn broker(&self) -> String {
        format!("127.0.0.1:{}", self.kafka_port)
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
