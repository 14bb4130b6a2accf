//! PostgreSQL and Kafka in containers, where a Docker engine answers.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use nix::sys::signal::Signal;
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use sqlx::{Connection, PgConnection};

use crate::{
    ServerError,
    child::{Child, StopSignals},
    log_file::LogFile,
    paths, ports,
};

const POSTGRES_IMAGE: &str = "postgres:17-alpine";
const KAFKA_IMAGE: &str = "apache/kafka:4.3.1";

/// Time to fetch an image and start it.
const START_TIMEOUT: Duration = Duration::from_secs(600);

/// Whether there is a Docker engine.
pub fn engine_answers() -> bool {
    let mut version = Command::new("docker");
    version.arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// Where containers keep what is theirs.
pub struct ContainerOptions {
    logs: PathBuf,
    /// The volumes' name; without one the data goes with the container.
    volume: Option<String>,
}

impl ContainerOptions {
    /// Logs go to `data`. An ephemeral container's own data goes with it; another's is kept in a
    /// volume that is named after `data`.
    pub fn new(data: &Path, ephemeral: bool) -> Self {
        let volume = (!ephemeral).then(|| format!("karcis-{}", paths::fingerprint(data)));
        Self { logs: data.join("logs"), volume }
    }
}

/// A running container: the child is `docker run`, which passes signals on and removes it.
pub struct Container {
    child: Child,
    name: String,
    port: u16,
    pid: u32,
    stop: Signal,
}

impl Container {
    /// The port of this machine that leads to it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process, as this machine counts processes.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for its end.
    pub fn exited(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        self.child.exited()
    }

    /// Stops it in order; one that takes longer than 30 s is removed.
    pub async fn stop(self) {
        self.child.signal(self.stop);
        let _ = tokio::time::timeout(Duration::from_secs(30), self.child.exited()).await;
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.child.exit().is_none() {
            // Killing `docker run` would leave the container behind.
            let mut remove = Command::new("docker");
            remove.args(["rm", "-f", "-v", &self.name]);
            let _ =
                remove.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// The superuser's URL of a container's database `postgres`.
pub fn postgres_url(port: u16) -> String {
    format!("postgres://postgres:postgres@127.0.0.1:{port}/postgres")
}

/// PostgreSQL on this port; 0 takes a free one.
pub async fn postgres(port: u16, options: &ContainerOptions) -> Result<Container, ServerError> {
    let plan = Plan { part: "PostgreSQL", name: "postgres", stop: Signal::SIGINT };
    let ready = async |port| {
        let connection = PgConnection::connect(&postgres_url(port)).await;
        match connection {
            Ok(connection) => connection.close().await.is_ok(),
            Err(_) => false,
        }
    };
    plan.start(port, options, "/var/lib/postgresql/data", ready, |command, port| {
        command.args(["-p", &format!("127.0.0.1:{port}:5432"), "-e", "POSTGRES_PASSWORD=postgres"]);
        command.args([POSTGRES_IMAGE, "postgres"]);
        for setting in ["shared_buffers=256MB", "max_connections=200", "max_wal_size=2GB"] {
            command.args(["-c", setting]);
        }
    })
    .await
}

/// Kafka on this port; 0 takes a free one.
pub async fn kafka(port: u16, options: &ContainerOptions) -> Result<Container, ServerError> {
    let plan = Plan { part: "Kafka", name: "kafka", stop: Signal::SIGTERM };
    let ready = async |port| {
        let look = tokio::task::spawn_blocking(move || {
            let mut client = ClientConfig::new();
            client.set("bootstrap.servers", format!("127.0.0.1:{port}"));
            client.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
            let consumer: BaseConsumer = client.create()?;
            consumer.fetch_metadata(None, Duration::from_secs(1)).map(drop)
        });
        look.await.is_ok_and(|answer| answer.is_ok())
    };
    plan.start(port, options, "/var/lib/kafka/data", ready, |command, port| {
        command.args(["-p", &format!("127.0.0.1:{port}:{port}")]);
        for setting in [
            "NODE_ID=1",
            "PROCESS_ROLES=broker,controller",
            "CONTROLLER_QUORUM_VOTERS=1@localhost:19093",
            &format!("LISTENERS=PLAINTEXT://:{port},CONTROLLER://:19093"),
            &format!("ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:{port}"),
            "LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "CONTROLLER_LISTENER_NAMES=CONTROLLER",
            "INTER_BROKER_LISTENER_NAME=PLAINTEXT",
            "LOG_DIRS=/var/lib/kafka/data",
            "AUTO_CREATE_TOPICS_ENABLE=false",
            "OFFSETS_TOPIC_REPLICATION_FACTOR=1",
            "OFFSETS_TOPIC_NUM_PARTITIONS=1",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1",
            "TRANSACTION_STATE_LOG_MIN_ISR=1",
            "GROUP_INITIAL_REBALANCE_DELAY_MS=0",
        ] {
            command.args(["-e", &format!("KAFKA_{setting}")]);
        }
        command.arg(KAFKA_IMAGE);
    })
    .await
}

/// What to run and how to stop it.
struct Plan {
    part: &'static str,
    name: &'static str,
    stop: Signal,
}

impl Plan {
    async fn start(
        &self,
        port: u16,
        options: &ContainerOptions,
        data: &str,
        ready: impl AsyncFn(u16) -> bool,
        finish: impl Fn(&mut Command, u16),
    ) -> Result<Container, ServerError> {
        std::fs::create_dir_all(&options.logs)?;
        let [free] = ports::free()?;
        let port = if port == 0 { free } else { port };
        let name = format!("karcis-{}-{}", self.name, uuid::Uuid::now_v7().simple());
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--name", &name]);
        if let Some(volume) = &options.volume {
            command.args(["-v", &format!("{volume}-{}:{data}", self.name)]);
        }
        finish(&mut command, port);
        let log = LogFile::attach(&options.logs.join(format!("{}.log", self.name)), &mut command)?;
        let signals = StopSignals { orphaned: Some(self.stop), dropped: Signal::SIGKILL };
        let child = Child::spawn(command, signals, Vec::new())?;
        let mut container = Container { child, name, port, pid: 0, stop: self.stop };

        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        while !ready(port).await {
            let ended = container.child.exit().is_some();
            if ended || tokio::time::Instant::now() > deadline {
                let (part, reason) = (self.part, log.last_lines());
                return Err(ServerError::NotStarted { part, reason });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        container.pid = pid_of(&container.name).unwrap_or(container.child.pid());
        Ok(container)
    }
}

/// The server's process, as this machine counts processes.
fn pid_of(container: &str) -> Option<u32> {
    let mut inspect = Command::new("docker");
    inspect.args(["inspect", "-f", "{{.State.Pid}}", container]).stdin(Stdio::null());
    let output = inspect.output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
