//! One Postgres and one Kafka.

use std::path::PathBuf;

use async_trait::async_trait;
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

use super::{KAFKA, POSTGRES, Stack, Ways, address};

struct Two {
    folder: TempDir,
    postgres: Option<Postgres>,
    postgres_port: u16,
    kafka: Option<Kafka>,
    kafka_port: u16,
    /// Where clients are told to come to.
    kafka_proxy: u16,
}

/// The servers, the way to Kafka, and the URL of Postgres.
pub(super) async fn start() -> (Box<dyn Stack>, Ways, Vec<String>, TestEnvironment) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let [kafka_port] = ports::free().expect("a port is free");
    let to_kafka = SilentProxy::start(&address(kafka_port)).await;
    let kafka_proxy = to_kafka.port();
    let mut two =
        Two { folder, postgres: None, postgres_port: 0, kafka: None, kafka_port, kafka_proxy };
    two.start_again(POSTGRES).await;
    two.start_again(KAFKA).await;
    let postgres = two.postgres.as_ref().expect("it was started");
    two.postgres_port = postgres.port();
    let kafka = two.kafka.as_ref().expect("it was started");
    let security = KafkaSecurity::plain(kafka::USER, kafka.password());
    let environment =
        TestEnvironment::on_servers(&postgres.url(), &address(kafka_proxy), security).await;
    let urls = vec![postgres.url()];
    (Box::new(two), vec![(KAFKA.to_owned(), to_kafka)], urls, environment)
}

#[async_trait(?Send)]
impl Stack for Two {
    fn names(&self) -> &'static [&'static str] {
        &[POSTGRES, KAFKA]
    }

    async fn kill(&mut self, name: &str) {
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

    async fn start_again(&mut self, name: &str) {
        let data = self.data(name);
        match name {
            POSTGRES if self.postgres.is_none() => {
                let port = self.postgres_port;
                let options = PostgresOptions { data, port, durable: true, outlives_parent: false };
                self.postgres = Some(Postgres::start(options).await.expect("Postgres starts"));
            }
            KAFKA if self.kafka.is_none() => {
                let options = KafkaOptions { data, port: self.kafka_port, outlives_parent: false };
                let kafka = Kafka::start_behind(options, Some(self.kafka_proxy)).await;
                self.kafka = Some(kafka.expect("Kafka starts"));
            }
            _ => {}
        }
    }

    fn freeze(&self, name: &str) {
        self.signal(name, Signal::SIGSTOP);
    }

    fn thaw(&self, name: &str) {
        self.signal(name, Signal::SIGCONT);
    }
}

impl Two {
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

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
