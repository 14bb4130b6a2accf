//! PostgreSQL and Kafka in containers, where a Docker engine answers.

use std::{
    io::Write,
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
    kafka,
    log_file::LogFile,
    paths, ports, secret,
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
    data: PathBuf,
    logs: PathBuf,
    /// The volumes' name; without one the data goes with the container.
    volume: Option<String>,
}

impl ContainerOptions {
    /// Logs go to `data`. An ephemeral container's own data goes with it; another's is kept in a
    /// volume that is named after `data`.
    pub fn new(data: &Path, ephemeral: bool) -> Self {
        let volume = (!ephemeral).then(|| format!("karcis-{}", paths::fingerprint(data)));
        Self { data: data.to_owned(), logs: data.join("logs"), volume }
    }

    /// The superuser's URL of database `postgres` of the PostgreSQL on this port.
    pub fn postgres_url(&self, port: u16) -> std::io::Result<String> {
        Ok(superuser_url(port, &self.password("postgres")?))
    }

    /// The password of [`kafka::USER`].
    pub fn kafka_password(&self) -> std::io::Result<String> {
        self.password("kafka")
    }

    fn password(&self, part: &str) -> std::io::Result<String> {
        paths::make_own(&self.logs)?;
        secret::kept_in(&self.data.join(format!("{part}-container-password")))
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

/// PostgreSQL on this port; 0 takes a free one.
pub async fn postgres(port: u16, options: &ContainerOptions) -> Result<Container, ServerError> {
    let plan = Plan { part: "PostgreSQL", name: "postgres", stop: Signal::SIGINT };
    let password = options.password("postgres")?;
    let ready = |port, container: String| {
        let password = password.clone();
        async move { postgres_is_ready(port, &container, &password).await }
    };
    plan.start(port, options, "/var/lib/postgresql/data", ready, |command, port| {
        command.args(["-p", &format!("127.0.0.1:{port}:5432"), "-e", "POSTGRES_PASSWORD"]);
        // Others can read a command line, but not this environment.
        command.env("POSTGRES_PASSWORD", &password);
        command.args([POSTGRES_IMAGE, "postgres"]);
        for setting in ["shared_buffers=256MB", "max_connections=200", "max_wal_size=2GB"] {
            command.args(["-c", setting]);
        }
    })
    .await
}

async fn postgres_is_ready(port: u16, container: &str, password: &str) -> bool {
    match PgConnection::connect(&superuser_url(port, password)).await {
        Ok(connection) => connection.close().await.is_ok(),
        // Its volume was made with another password, or outlived the file with ours.
        Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("28P01") => {
            let change = format!("ALTER ROLE postgres PASSWORD '{password}'");
            let _ = run_in(container, &["psql", "-q", "-U", "postgres"], &change);
            false
        }
        Err(_) => false,
    }
}

fn superuser_url(port: u16, password: &str) -> String {
    format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")
}

/// Kafka on this port; 0 takes a free one.
pub async fn kafka(port: u16, options: &ContainerOptions) -> Result<Container, ServerError> {
    let plan = Plan { part: "Kafka", name: "kafka", stop: Signal::SIGTERM };
    let password = options.password("kafka")?;
    let ready = |port, _| {
        let password = password.clone();
        let look = tokio::task::spawn_blocking(move || {
            let mut client = ClientConfig::new();
            client.set("bootstrap.servers", format!("127.0.0.1:{port}"));
            client.set("security.protocol", "sasl_plaintext").set("sasl.mechanism", "PLAIN");
            client.set("sasl.username", kafka::USER).set("sasl.password", password);
            client.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
            let consumer: BaseConsumer = client.create()?;
            consumer.fetch_metadata(None, Duration::from_secs(1)).map(drop)
        });
        async move { look.await.is_ok_and(|answer| answer.is_ok()) }
    };
    plan.start(port, options, "/var/lib/kafka/data", ready, |command, port| {
        command.args(["-p", &format!("127.0.0.1:{port}:{port}")]);
        for setting in [
            "NODE_ID=1",
            "PROCESS_ROLES=broker,controller",
            "CONTROLLER_QUORUM_VOTERS=1@127.0.0.1:19093",
            // Only the broker itself is the controller's client.
            &format!("LISTENERS=CLIENTS://:{port},CONTROLLER://127.0.0.1:19093"),
            &format!("ADVERTISED_LISTENERS=CLIENTS://127.0.0.1:{port}"),
            "LISTENER_SECURITY_PROTOCOL_MAP=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "CONTROLLER_LISTENER_NAMES=CONTROLLER",
            "INTER_BROKER_LISTENER_NAME=CLIENTS",
            "SASL_ENABLED_MECHANISMS=PLAIN",
            "SASL_MECHANISM_INTER_BROKER_PROTOCOL=PLAIN",
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
        command.env(JAAS, jaas(kafka::USER, &password)).args(["-e", JAAS, KAFKA_IMAGE]);
    })
    .await
}

/// The variable of the listener's users.
const JAAS: &str = "KAFKA_LISTENER_NAME_CLIENTS_PLAIN_SASL_JAAS_CONFIG";

/// What makes a listener let in this user with this password by SASL PLAIN, and nobody else.
pub fn jaas(user: &str, password: &str) -> String {
    let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
    format!(
        r#"{module} required username="{user}" password="{password}" user_{user}="{password}";"#
    )
}

/// What to run and how to stop it.
struct Plan {
    part: &'static str,
    name: &'static str,
    stop: Signal,
}

impl Plan {
    async fn start<R: Future<Output = bool>>(
        &self,
        port: u16,
        options: &ContainerOptions,
        data: &str,
        ready: impl Fn(u16, String) -> R,
        finish: impl Fn(&mut Command, u16),
    ) -> Result<Container, ServerError> {
        paths::make_own(&options.logs)?;
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
        while !ready(port, container.name.clone()).await {
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

/// Runs a program in a container and gives it this input, which no command line shows.
fn run_in(container: &str, program: &[&str], input: &str) -> std::io::Result<()> {
    let mut exec = Command::new("docker");
    exec.args(["exec", "-i", container]).args(program);
    exec.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = exec.spawn()?;
    if let Some(mut stdin) = running.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    running.wait().map(drop)
}

/// The server's process, as this machine counts processes.
fn pid_of(container: &str) -> Option<u32> {
    let mut inspect = Command::new("docker");
    inspect.args(["inspect", "-f", "{{.State.Pid}}", container]).stdin(Stdio::null());
    let output = inspect.output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
