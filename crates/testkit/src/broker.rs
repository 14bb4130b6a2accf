//! A Kafka of a test's own, to be stopped and started.

use std::time::Duration;

use karcis_dev_servers::{kafka::Kafka, ports};
use rdkafka::consumer::{BaseConsumer, Consumer};
use testcontainers_modules::{kafka::apache, testcontainers::ContainerAsync};
use uuid::Uuid;

use crate::{
    containers, eventually,
    lifetime::Lifetime,
    native,
    servers::{Stack, kafka_client, servers},
};

/// A broker that keeps its port and its data while it is stopped.
pub struct Broker {
    name: String,
    port: u16,
    bootstrap_servers: String,
    runs_in: RunsIn,
}

enum RunsIn {
    Container(Box<ContainerAsync<apache::Kafka>>),
    Child(Kafka),
    Nothing,
}

impl Broker {
    /// Starts it in what the shared servers run in.
    pub async fn start() -> Self {
        let name = Uuid::now_v7().to_string();
        let lifetime = Lifetime::of_this_process();
        let servers = servers();
        let (port, bootstrap_servers, runs_in) = match servers.stack {
            Stack::Containers => {
                let [port] = ports::free().expect("a port is free");
                let (at, container) = containers::kafka(lifetime, Some(port), &servers.password)
                    .await
                    .expect("Kafka starts");
                (port, at, RunsIn::Container(Box::new(container)))
            }
            Stack::Native => {
                let kafka = native::kafka(lifetime, &name, 0, &servers.password).await;
                let kafka = kafka.expect("Kafka starts");
                (kafka.port(), kafka.bootstrap_servers(), RunsIn::Child(kafka))
            }
        };
        Self { name, port, bootstrap_servers, runs_in }
    }

    /// `host:port`.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Stops it: no client can connect until [`Self::start_again`].
    pub async fn stop(&mut self) {
        match std::mem::replace(&mut self.runs_in, RunsIn::Nothing) {
            RunsIn::Container(container) => {
                container.stop().await.expect("the container stops");
                self.runs_in = RunsIn::Container(container);
            }
            RunsIn::Child(kafka) => kafka.stop().await.expect("Kafka stops"),
            RunsIn::Nothing => panic!("it is stopped"),
        }
        assert!(!self.answers(Duration::from_secs(2)), "the broker still answers");
    }

    /// Starts it where it was, with what it had.
    pub async fn start_again(&mut self) {
        match &self.runs_in {
            RunsIn::Container(container) => container.start().await.expect("the container starts"),
            RunsIn::Nothing => {
                let (lifetime, password) = (Lifetime::of_this_process(), &servers().password);
                let kafka = native::kafka(lifetime, &self.name, self.port, password).await;
                let kafka = kafka.expect("Kafka starts");
                self.runs_in = RunsIn::Child(kafka);
            }
            RunsIn::Child(_) => panic!("it runs"),
        }
        let answers = async || self.answers(Duration::from_secs(20));
        eventually(answers).within(Duration::from_secs(180)).is(true).await;
    }

    fn answers(&self, within: Duration) -> bool {
        let client: BaseConsumer = kafka_client(&self.bootstrap_servers)
            .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg)
            .create()
            .expect("the settings are right");
        client.fetch_metadata(None, within).is_ok()
    }
}
