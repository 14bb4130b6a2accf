//! Starts everything, prints where it is, keeps it running, and stops it in order.

mod demo;
mod ports;
mod servers;
mod services;
mod state;
mod supervise;
mod terminal;
mod urls;
mod welcome;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use karcis_dev_servers::{
    ServerError, TempDir,
    kafka::Kafka,
    paths,
    ports::{ATTEMPTS, TAKEN},
    postgres::Postgres,
};
use karcis_messaging::KafkaConfig;
use karcis_process::CancellationToken;
use karcis_schemas::schemas;
use sqlx::{Connection, PgConnection};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};

use crate::{migrate::migrate_one, options::Options};
use ports::ChosenPorts;
use servers::{Server, Servers};
use services::Program;
use state::State;
use supervise::{Runs, keep_running};
use terminal::print;
use urls::Urls;

/// Why Karcis is not running.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("{0}")]
    Server(#[from] ServerError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Setup(#[from] karcis_schemas::SetupError),
    #[error("schema {schema}: {error}")]
    Migrate { schema: &'static str, error: karcis_schemas::SetupError },
    #[error("{0}")]
    Topics(#[from] karcis_messaging::KafkaError),
    #[error("karcis is running already on {0}: stop it, or start another with --ephemeral")]
    Running(String),
    #[error(
        "port {port} of {service} is taken: stop what listens there, or choose another with \
         --{flag} PORT ({variable}=PORT)"
    )]
    PortTaken { port: u16, service: &'static str, flag: String, variable: String },
    /// A service ended, or did not get ready; the reason holds its last lines.
    #[error("{service} did not start: {reason}")]
    Service { service: &'static str, reason: String },
    #[error("demo data: {0}")]
    Demo(String),
}

impl From<std::io::Error> for LaunchError {
    fn from(error: std::io::Error) -> Self {
        Self::Server(error.into())
    }
}

/// Starts Karcis and runs it until SIGINT, SIGTERM or SIGHUP.
pub(crate) async fn launch(options: Options) -> Result<(), LaunchError> {
    let mut stop_requests = StopRequests::listen()?;
    let began = Instant::now();
    let folder = RunFolder::choose(&options).await?;
    // Whatever is dropped on the way out is stopped: by a failure as by a signal.
    let running = tokio::select! {
        started = start(&options, &folder) => started?,
        () = stop_requests.next() => return Ok(()),
    };
    welcome::welcome(&running.state, &options.admin, &folder, began.elapsed());
    let supervised = running.supervise();
    stop_requests.next().await;
    print("stopping …");
    tokio::select! {
        () = supervised.stop() => {}
        // Who asks twice does not want to wait: the kernel kills the children with us.
        () = stop_requests.next() => {}
    }
    Ok(())
}

/// Where this run keeps what is its own.
struct RunFolder {
    data: PathBuf,
    state_file: PathBuf,
    ephemeral: Option<TempDir>,
    /// Held to the end, so that no second run takes the same data.
    _lock: Option<std::fs::File>,
}

impl RunFolder {
    async fn choose(options: &Options) -> Result<Self, LaunchError> {
        let (data, ephemeral, lock) = if options.ephemeral {
            let folder = TempDir::new()?;
            (folder.path().to_owned(), Some(folder), None)
        } else {
            let data = std::path::absolute(options.data.clone().unwrap_or_else(paths::home))?;
            // What is ours in a folder that somebody has chosen is closed to others itself.
            let is_new = !data.exists() || data.join("lock").is_file();
            if is_new || options.data.is_none() {
                paths::make_own(&data)?;
            } else {
                paths::is_own(&data)?;
            }
            let lock = paths::lock(&data.join("lock"), Duration::ZERO).await?;
            let running = || LaunchError::Running(data.display().to_string());
            let lock = lock.ok_or_else(running)?;
            (data, None, Some(lock))
        };
        let state_file = options.state_file.clone().unwrap_or_else(|| data.join("stack.json"));
        // One that a killed run left would say that all is ready.
        let _ = std::fs::remove_file(&state_file);
        Ok(Self { data, state_file, ephemeral, _lock: lock })
    }
}

/// Where the servers are, and how to log in to them.
struct ServersAt {
    /// The superuser's.
    database_url: String,
    kafka: KafkaConfig,
}

/// Everything that was started.
struct Running {
    state: Arc<State>,
    postgres: Option<Server<Postgres>>,
    kafka: Option<Server<Kafka>>,
    services: Vec<(Program, services::Running)>,
    servers: Servers,
}

async fn start(options: &Options, folder: &RunFolder) -> Result<Running, LaunchError> {
    let ports = ChosenPorts::choose(options).await?;
    let servers = Servers::new(options, &folder.data);
    let (postgres, kafka) = tokio::try_join!(
        async {
            let started = servers.start_postgres().await?;
            let primary = karcis_database::primary(&started.address).await?;
            let fresh = is_fresh(&primary).await?;
            karcis_schemas::prepare(&primary).await?;
            for schema in schemas() {
                let migrated = migrate_one(&primary, schema).await;
                migrated.map_err(|error| LaunchError::Migrate { schema: schema.name, error })?;
            }
            Ok::<_, LaunchError>((started, fresh))
        },
        async {
            let (started, security) = servers.start_kafka().await?;
            let config = KafkaConfig {
                kafka_bootstrap_servers: started.address.clone(),
                topic_prefix: options.topic_prefix.clone(),
                instance: "0".to_owned(),
                security,
            };
            let kafka = karcis_messaging::Kafka::connect(&config)?;
            kafka.create_topics(options.topic_partitions, options.topic_replication).await?;
            Ok((started, config))
        }
    )?;
    let ((postgres, fresh), (kafka, kafka_config)) = (postgres, kafka);

    let servers_at = ServersAt { database_url: postgres.address, kafka: kafka_config };
    let (urls, services) = start_services(options, folder, ports, &servers_at).await?;
    let file = folder.state_file.clone();
    let state = Arc::new(State::new(file, &urls, &servers_at, &options.admin));
    state.note_pid("karcis", std::process::id());
    if let Some(server) = &postgres.server {
        state.note_pid("postgres", server.pid());
    }
    if let Some(server) = &kafka.server {
        state.note_pid("kafka", server.pid());
    }
    for (service, running) in &services {
        state.note_pid(service.name, running.pid());
    }
    if options.demo || (fresh && !options.ephemeral) {
        demo::make(&urls, &options.admin).await?;
        print("demo events made");
    }
    state.publish()?;
    let (postgres, kafka) = (postgres.server, kafka.server);
    Ok(Running { state, postgres, kafka, services, servers })
}

/// Starts the services and the web app, on other free ports if another process has taken one of these.
async fn start_services(
    options: &Options,
    folder: &RunFolder,
    mut ports: ChosenPorts,
    servers: &ServersAt,
) -> Result<(Urls, Vec<(Program, services::Running)>), LaunchError> {
    let mut more_attempts = 1..ATTEMPTS;
    loop {
        let urls = Urls::of_ports(&ports);
        let services = Program::all(&urls, options, servers, &folder.data)?;
        match services::start_all(services).await {
            Err(LaunchError::Service { reason, .. })
                if options.ephemeral
                    && reason.contains(TAKEN)
                    && more_attempts.next().is_some() =>
            {
                ports = ChosenPorts::choose(options).await?;
            }
            started => return Ok((urls, started?)),
        }
    }
}

/// Whether no service has ever worked in this database.
async fn is_fresh(database_url: &str) -> Result<bool, sqlx::Error> {
    let mut connection = PgConnection::connect(database_url).await?;
    let (fresh,) = sqlx::query_as("SELECT to_regclass('events._sqlx_migrations') IS NULL")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(fresh)
}

impl Running {
    fn supervise(self) -> Supervised {
        let Self { state, postgres, kafka, services, servers } = self;
        let servers = Arc::new(servers);
        let groups = [Group::default(), Group::default(), Group::default()];
        let [mut service_group, mut kafka_group, mut postgres_group] = groups;
        for (service, running) in services {
            let watch = terminal::show_warnings(service.name, service.log.clone());
            service_group.tasks.spawn(watch_until(watch, service_group.stopping.clone()));
            let (state, stopping) = (state.clone(), service_group.stopping.clone());
            service_group.tasks.spawn(async move {
                let start = || async { service.start() };
                keep_running(service.name, running, start, &state, stopping).await;
            });
        }
        if let Some(running) = kafka {
            let (state, stopping) = (state.clone(), kafka_group.stopping.clone());
            let (servers, kind, port) = (servers.clone(), running.kind(), running.port());
            kafka_group.tasks.spawn(async move {
                let start = || servers.kafka(kind, port);
                keep_running("kafka", running, start, &state, stopping).await;
            });
        }
        if let Some(running) = postgres {
            let (state, stopping) = (state.clone(), postgres_group.stopping.clone());
            let (kind, port) = (running.kind(), running.port());
            postgres_group.tasks.spawn(async move {
                let start = || servers.postgres(kind, port);
                keep_running("postgres", running, start, &state, stopping).await;
            });
        }
        Supervised { state, groups: [service_group, kafka_group, postgres_group] }
    }
}

async fn watch_until(watch: impl Future<Output = ()>, stopping: CancellationToken) {
    tokio::select! {
        () = watch => {}
        () = stopping.cancelled() => {}
    }
}

/// What is stopped together.
#[derive(Default)]
struct Group {
    stopping: CancellationToken,
    tasks: JoinSet<()>,
}

/// Everything that runs and is started again if it dies.
struct Supervised {
    state: Arc<State>,
    /// In the order in which they stop.
    groups: [Group; 3],
}

impl Supervised {
    async fn stop(self) {
        self.state.retract();
        for mut group in self.groups {
            group.stopping.cancel();
            while group.tasks.join_next().await.is_some() {}
        }
    }
}

/// The signals that ask for a stop.
struct StopRequests([Signal; 3]);

impl StopRequests {
    fn listen() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
