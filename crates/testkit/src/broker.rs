//! A Kafka of a test's own, to be stopped and started.

use std::{path::PathBuf, time::Duration};

use karcis_dev_servers::{kafka::Kafka, ports};
use nix::sys::signal::Signal;
use rdkafka::consumer::{BaseConsumer, Consumer};
use testcontainers_modules::{kafka::apache, testcontainers::ContainerAsync};
use uuid::Uuid;

use crate::{
    containers, eventually,
    full_disk::Disk,
    lifetime::Lifetime,
    native,
    servers::{Stack, kafka_client, servers},
};

/// In the folder of a broker that is a child process.
const DISK: &str = "kafka-data";

/// A broker that keeps its port and its data while it is stopped.
pub struct Broker {
    name: String,
    port: u16,
    bootstrap_servers: String,
    runs_in: RunsIn,
    /// One that a test can fill.
    full_disk: Option<Disk>,
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
                let kafka = native::kafka(lifetime, &name, 0, &servers.password, None).await;
                let kafka = kafka.expect("Kafka starts");
                (kafka.port(), kafka.bootstrap_servers(), RunsIn::Child(kafka))
            }
        };
        Self { name, port, bootstrap_servers, runs_in, full_disk: None }
    }

    /// Starts it on a disk that a test can fill: a child process, whatever the shared servers run in.
    pub async fn on_a_disk() -> Self {
        let (name, lifetime) = (Uuid::now_v7().to_string(), Lifetime::of_this_process());
        let disk = Disk::of(&lifetime.data.join(&name), DISK);
        let (password, library) = (&servers().password, Some(disk.library.as_path()));
        let kafka = native::kafka(lifetime, &name, 0, password, library).await;
        let kafka = kafka.expect("Kafka starts");
        let (port, bootstrap_servers) = (kafka.port(), kafka.bootstrap_servers());
        let runs_in = RunsIn::Child(kafka);
        Self { name, port, bootstrap_servers, runs_in, full_disk: Some(disk) }
    }

    /// Leaves no room on its disk, and waits until it has stopped, as brokers do that cannot write. Returns
    /// what it has said.
    pub async fn fill_disk(&mut self) -> String {
        self.full_disk.as_ref().expect("it was started on a disk").fill();
        let RunsIn::Child(kafka) = std::mem::replace(&mut self.runs_in, RunsIn::Nothing) else {
            panic!("it is stopped");
        };
        let stopped = tokio::time::timeout(Duration::from_secs(60), kafka.exited()).await;
        stopped.expect("a broker stops that cannot write");
        let log = Lifetime::of_this_process().data.join(&self.name).join("kafka.log");
        std::fs::read_to_string(log).expect("its log can be read")
    }

    /// Somebody has made room on its disk. It has to be started again.
    pub fn make_room(&self) {
        self.full_disk.as_ref().expect("it was started on a disk").make_room();
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

    /// Kills it, as a crash of its machine would: it finishes nothing.
    pub async fn kill(&mut self) {
        match std::mem::replace(&mut self.runs_in, RunsIn::Nothing) {
            RunsIn::Container(container) => {
                container.stop_with_timeout(Some(0)).await.expect("the container is killed");
                self.runs_in = RunsIn::Container(container);
            }
            RunsIn::Child(kafka) => drop(kafka),
            RunsIn::Nothing => panic!("it is stopped"),
        }
    }

    /// Stands still, as a machine does that gets no processor: it accepts connections and answers
    /// nothing.
    pub async fn freeze(&self) {
        match &self.runs_in {
            RunsIn::Container(container) => container.pause().await.expect("it pauses"),
            RunsIn::Child(kafka) => signal(kafka, Signal::SIGSTOP),
            RunsIn::Nothing => panic!("it is stopped"),
        }
    }

    /// Goes on after [`Self::freeze`].
    pub async fn thaw(&self) {
        match &self.runs_in {
            RunsIn::Container(container) => container.unpause().await.expect("it goes on"),
            RunsIn::Child(kafka) => signal(kafka, Signal::SIGCONT),
            RunsIn::Nothing => panic!("it is stopped"),
        }
    }

    /// Kills it and starts it with an empty disk, where it was.
    pub async fn wipe(&mut self) {
        let (lifetime, password) = (Lifetime::of_this_process(), &servers().password);
        match std::mem::replace(&mut self.runs_in, RunsIn::Nothing) {
            RunsIn::Container(container) => {
                container.rm().await.expect("the container is removed");
                let started = containers::kafka(lifetime, Some(self.port), password).await;
                self.runs_in = RunsIn::Container(Box::new(started.expect("Kafka starts").1));
            }
            RunsIn::Child(kafka) => {
                drop(kafka);
                let disk = lifetime.data.join(&self.name).join(DISK);
                std::fs::remove_dir_all(disk).expect("it is this broker's own");
                self.start_again().await;
            }
            RunsIn::Nothing => panic!("it is stopped"),
        }
    }

    /// Where its data is, to be looked at while it is stopped; a container keeps its own to itself.
    pub fn disk(&self) -> Option<PathBuf> {
        let is_container = matches!(self.runs_in, RunsIn::Container(_));
        (!is_container).then(|| Lifetime::of_this_process().data.join(&self.name).join(DISK))
    }

    /// Starts it where it was, with what it had.
    pub async fn start_again(&mut self) {
        match &self.runs_in {
            RunsIn::Container(container) => container.start().await.expect("the container starts"),
            RunsIn::Nothing => {
                let (lifetime, password) = (Lifetime::of_this_process(), &servers().password);
                let library = self.full_disk.as_ref().map(|disk| disk.library.as_path());
                let (name, port) = (&self.name, self.port);
                let kafka = native::kafka(lifetime, name, port, password, library).await;
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

fn signal(kafka: &Kafka, signal: Signal) {
    let pid = i32::try_from(kafka.pid()).expect("the system gives no higher ids");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("it runs");
}
