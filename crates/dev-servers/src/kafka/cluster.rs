//! Three brokers, each with a controller, as child processes that can be killed, frozen and started again.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;
use rdkafka::{
    ClientConfig,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer},
};

use super::{Kafka, KafkaOptions, Node, USER, keep_password};
use crate::{ServerError, ports};

/// How many there are; they are numbered from 0 on.
pub const BROKERS: usize = 3;

/// Brokers that keep three copies of everything, two of which have a message before it is acknowledged. They
/// stop when this is dropped or when this process ends.
pub struct KafkaCluster {
    folder: PathBuf,
    password: String,
    ports: [u16; BROKERS],
    /// Where clients and the other brokers are told to come to.
    told: [u16; BROKERS],
    controllers: [u16; BROKERS],
    brokers: [Option<Kafka>; BROKERS],
}

impl Node {
    /// What differs from a broker that is alone: of a setting that is there twice, the last counts.
    pub(super) fn of_cluster(&self) -> String {
        let voters = (1..).zip(&self.controllers);
        let voters: Vec<_> = voters.map(|(id, port)| format!("{id}@127.0.0.1:{port}")).collect();
        format!(
            "
node.id={}
controller.quorum.voters={}
default.replication.factor={BROKERS}
min.insync.replicas=2
offsets.topic.replication.factor={BROKERS}
request.timeout.ms=5000
",
            self.id,
            voters.join(",")
        )
    }
}

impl KafkaCluster {
    /// Starts all, with their data in this folder, and waits until they accept connections.
    pub async fn start(folder: &Path, password: &str) -> Result<Self, ServerError> {
        Self::start_behind(folder, password, async |ports| ports).await
    }

    /// The same behind proxies: `ways` is told the brokers' ports, and says to which all come in their place.
    pub async fn start_behind(
        folder: &Path,
        password: &str,
        ways: impl AsyncFnOnce([u16; BROKERS]) -> [u16; BROKERS],
    ) -> Result<Self, ServerError> {
        let [a, b, c, d, e, f] = ports::free()?;
        let mut cluster = Self {
            folder: folder.to_owned(),
            password: password.to_owned(),
            ports: [a, b, c],
            told: ways([a, b, c]).await,
            controllers: [d, e, f],
            brokers: [None, None, None],
        };
        // None gets ready alone.
        let started =
            tokio::try_join!(cluster.start_one(0), cluster.start_one(1), cluster.start_one(2))?;
        cluster.brokers = <[Kafka; BROKERS]>::from(started).map(Some);
        Ok(cluster)
    }

    async fn start_one(&self, broker: usize) -> Result<Kafka, ServerError> {
        let data = self.folder.join(format!("kafka-{broker}"));
        keep_password(&data, &self.password)?;
        let controllers = self.controllers.to_vec();
        let node = Node { id: broker + 1, controllers, proxy_port: Some(self.told[broker]) };
        let options = KafkaOptions { data, port: self.ports[broker], outlives_parent: false };
        Kafka::start_as(&node, None, options).await
    }

    /// `host:port` of all, separated by commas.
    pub fn bootstrap_servers(&self) -> String {
        self.told.map(|port| format!("127.0.0.1:{port}")).join(",")
    }

    /// Kills it as `kill -9` does.
    pub async fn kill(&mut self, broker: usize) {
        let killed = self.brokers[broker].take().expect("it runs");
        killed.signal(Signal::SIGKILL);
        killed.exited().await;
    }

    /// Starts a killed one where it was, with what it had; one that runs goes on.
    pub async fn restart(&mut self, broker: usize) -> Result<(), ServerError> {
        if self.brokers[broker].is_none() {
            self.brokers[broker] = Some(self.start_one(broker).await?);
        }
        Ok(())
    }

    /// Freezes it: it accepts connections and answers nothing.
    pub fn freeze(&self, broker: usize) {
        self.signal(broker, Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn thaw(&self, broker: usize) {
        self.signal(broker, Signal::SIGCONT);
    }

    fn signal(&self, broker: usize, signal: Signal) {
        self.brokers[broker].as_ref().expect("it runs").signal(signal);
    }

    /// Whether every broker has all that it is to have: then another may go.
    pub async fn is_in_sync(&self) -> bool {
        self.partitions(|leader, in_sync| leader >= 0 && in_sync == BROKERS).await == Some(true)
    }

    /// Whether this broker leads a partition.
    pub async fn leads(&self, broker: usize) -> bool {
        let id = i32::try_from(broker + 1).expect("there are three");
        self.partitions(move |leader, _| leader != id).await == Some(false)
    }

    /// Whether all partitions are so, by their leader and how many are in sync; `None` if no broker answers.
    async fn partitions(&self, are: impl Fn(i32, usize) -> bool + Send + 'static) -> Option<bool> {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.bootstrap_servers());
        client.set("security.protocol", "sasl_plaintext").set("sasl.mechanism", "PLAIN");
        client.set("sasl.username", USER).set("sasl.password", &self.password);
        client.set_log_level(RDKafkaLogLevel::Emerg);
        let asked = tokio::task::spawn_blocking(move || {
            let client: BaseConsumer = client.create().ok()?;
            let metadata = client.fetch_metadata(None, Duration::from_secs(5)).ok()?;
            let mut all = metadata.topics().iter().flat_map(|topic| topic.partitions());
            Some(all.all(|it| are(it.leader(), it.isr().len())))
        });
        asked.await.ok().flatten()
    }
}
