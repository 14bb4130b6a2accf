//! PostgreSQL and Kafka: configured ones, else child processes, else containers.

use std::{path::Path, process::ExitStatus, time::Instant};

use futures_util::future::Either;

use karcis_dev_servers::{
    ServerError,
    containers::{self, Container, ContainerOptions},
    kafka::{self, Kafka, KafkaOptions},
    postgres::{Postgres, PostgresOptions},
};

use karcis_messaging::KafkaSecurity;

use super::{supervise::Runs, terminal::print};
use crate::options::Options;

/// How a server runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As a child process.
    Native,
    /// In a container.
    Container,
}

/// A server that was started here.
pub(super) struct Server<N> {
    port: u16,
    process: Process<N>,
}

enum Process<N> {
    Native(N),
    Container(Container),
}

/// Where a server is; a configured one was not started here.
pub(super) struct Started<N> {
    pub address: String,
    pub server: Option<Server<N>>,
}

/// What is configured.
pub(super) struct Servers {
    database_url: Option<String>,
    kafka_bootstrap_servers: Option<String>,
    kafka_security: KafkaSecurity,
    preferred: Kind,
    postgres: PostgresOptions,
    kafka: KafkaOptions,
    container: ContainerOptions,
}

impl Servers {
    pub(crate) fn new(options: &Options, data: &Path) -> Self {
        let configured = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let port = |port| if options.ephemeral { 0 } else { port };
        Self {
            database_url: configured(&options.database_url),
            kafka_bootstrap_servers: configured(&options.kafka_bootstrap_servers),
            kafka_security: options.kafka_security.clone(),
            preferred: if options.containers { Kind::Container } else { Kind::Native },
            postgres: PostgresOptions {
                data: data.join("postgres"),
                port: port(options.ports.postgres_port),
                durable: true,
                outlives_parent: false,
            },
            kafka: KafkaOptions {
                data: data.join("kafka"),
                port: port(options.ports.kafka_port),
                outlives_parent: false,
            },
            container: ContainerOptions::new(data, options.ephemeral),
        }
    }

    /// The configured PostgreSQL, or a new one.
    pub(crate) async fn start_postgres(&self) -> Result<Started<Postgres>, ServerError> {
        if let Some(url) = &self.database_url {
            print("PostgreSQL  the configured one");
            return Ok(Started { address: url.clone(), server: None });
        }
        let began = Instant::now();
        if self.preferred == Kind::Native && Postgres::must_be_fetched() {
            print("PostgreSQL  fetching it with Maven, once (15 MB) …");
        }
        let start = |kind| self.postgres(kind, self.postgres.port);
        let server = self.start("PostgreSQL", start).await?;
        let address = match &server.process {
            Process::Native(postgres) => postgres.url(),
            Process::Container(_) => self.container.postgres_url(server.port)?,
        };
        report("PostgreSQL", server.port, began);
        Ok(Started { address, server: Some(server) })
    }

    /// The configured Kafka, or a new one, and how to log in to it.
    pub(crate) async fn start_kafka(&self) -> Result<(Started<Kafka>, KafkaSecurity), ServerError> {
        if let Some(servers) = &self.kafka_bootstrap_servers {
            print("Kafka       the configured one");
            let configured = Started { address: servers.clone(), server: None };
            return Ok((configured, self.kafka_security.clone()));
        }
        let began = Instant::now();
        if self.preferred == Kind::Native && Kafka::must_be_fetched() {
            print("Kafka       fetching it with Maven, once (40 MB) …");
        }
        let server = self.start("Kafka", |kind| self.kafka(kind, self.kafka.port)).await?;
        let password = match &server.process {
            Process::Native(kafka) => kafka.password().to_owned(),
            Process::Container(_) => self.container.kafka_password()?,
        };
        report("Kafka", server.port, began);
        let address = format!("127.0.0.1:{}", server.port);
        let security = KafkaSecurity::plain(kafka::USER, &password);
        Ok((Started { address, server: Some(server) }, security))
    }

    /// The preferred kind; a container where the programs are not to be had.
    async fn start<N, S>(
        &self,
        name: &str,
        start: impl Fn(Kind) -> S,
    ) -> Result<Server<N>, ServerError>
    where
        S: Future<Output = Result<Server<N>, ServerError>>,
    {
        match start(self.preferred).await {
            Err(lacking) if is_not_to_be_had(&lacking) && containers::engine_answers() => {
                print(format!("{name:<11} in a container, as {lacking}"));
                start(Kind::Container).await.map_err(|error| {
                    print(format!("{name:<11} not in a container either: {error}"));
                    lacking
                })
            }
            started => started,
        }
    }

    /// A PostgreSQL of this kind on the same data.
    pub(crate) async fn postgres(
        &self,
        kind: Kind,
        port: u16,
    ) -> Result<Server<Postgres>, ServerError> {
        match kind {
            Kind::Native => {
                let options = PostgresOptions { port, ..self.postgres.clone() };
                let server = Postgres::start(options).await?;
                Ok(Server { port: server.port(), process: Process::Native(server) })
            }
            Kind::Container => {
                containers::postgres(port, &self.container).await.map(Server::in_container)
            }
        }
    }

    /// A Kafka of this kind on the same data.
    pub(crate) async fn kafka(&self, kind: Kind, port: u16) -> Result<Server<Kafka>, ServerError> {
        match kind {
            Kind::Native => {
                let options = KafkaOptions { port, ..self.kafka.clone() };
                let server = Kafka::start(options).await?;
                Ok(Server { port: server.port(), process: Process::Native(server) })
            }
            Kind::Container => {
                containers::kafka(port, &self.container).await.map(Server::in_container)
            }
        }
    }
}

fn is_not_to_be_had(error: &ServerError) -> bool {
    matches!(error, ServerError::Missing { .. } | ServerError::NotFetched { .. })
}

fn report(name: &str, port: u16, began: Instant) {
    let took = began.elapsed().as_secs_f64();
    print(format!("{name:<11} ready on 127.0.0.1:{port} after {took:.1} s"));
}

impl<N> Server<N> {
    fn in_container(container: Container) -> Self {
        Self { port: container.port(), process: Process::Container(container) }
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it runs as.
    pub(crate) fn kind(&self) -> Kind {
        match self.process {
            Process::Native(_) => Kind::Native,
            Process::Container(_) => Kind::Container,
        }
    }
}

impl<N: Runs> Runs for Server<N> {
    fn pid(&self) -> u32 {
        match &self.process {
            Process::Native(server) => server.pid(),
            Process::Container(container) => container.pid(),
        }
    }

    fn exited(&self) -> impl Future<Output = ExitStatus> + Send + 'static {
        match &self.process {
            Process::Native(server) => Either::Left(server.exited()),
            Process::Container(container) => Either::Right(container.exited()),
        }
    }

    async fn stop(self) {
        match self.process {
            Process::Native(server) => server.stop().await,
            Process::Container(container) => container.stop().await,
        }
    }
}

impl Runs for Postgres {
    fn pid(&self) -> u32 {
        self.pid()
    }

    fn exited(&self) -> impl Future<Output = ExitStatus> + Send + 'static {
        self.exited()
    }

    async fn stop(self) {
        // It has ended, whichever way.
        let _ = self.stop().await;
    }
}

impl Runs for Kafka {
    fn pid(&self) -> u32 {
        self.pid()
    }

    fn exited(&self) -> impl Future<Output = ExitStatus> + Send + 'static {
        self.exited()
    }

    async fn stop(self) {
        // It has ended, whichever way.
        let _ = self.stop().await;
    }
}

impl Runs for Container {
    fn pid(&self) -> u32 {
        self.pid()
    }

    fn exited(&self) -> impl Future<Output = ExitStatus> + Send + 'static {
        self.exited()
    }

    async fn stop(self) {
        self.stop().await;
    }
}
