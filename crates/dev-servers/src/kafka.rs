//! Apache Kafka (KRaft) as a child process.

mod cluster;
mod java;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

pub use cluster::{BROKERS, KafkaCluster};
use java::Java;
use nix::sys::signal::Signal;

use crate::{
    ServerError,
    child::{Child, StopSignals},
    log_file::LogFile,
    paths, ports, secret,
};

const PART: &str = "Kafka";
const PROPERTIES: &str = include_str!("../server.properties");

/// Time for a start on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// Time for the last owner of the data to end.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15);

/// The broker's log says so once it accepts connections.
const READY: &str = "Awaiting socket connections on 127.0.0.1:";

/// A running broker. It stops when it is dropped or when this process ends.
pub struct Kafka {
    child: Child,
    port: u16,
    password: String,
}

/// Whom clients log in as, by SASL PLAIN.
pub const USER: &str = "karcis";

/// The user's password, in the data folder.
const PASSWORD: &str = "password";

/// Decides what the password is of a broker on this data, in place of one that is drawn at its first
/// start: brokers of one test run share it.
pub fn keep_password(data: &Path, password: &str) -> io::Result<()> {
    paths::make_own(data)?;
    secret::keep(&data.join(PASSWORD), password)
}

/// How to run it.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// Where its log lives; made if missing.
    pub data: PathBuf,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Whether it goes on when this process ends without [`Kafka::stop`] or a drop.
    pub outlives_parent: bool,
}

impl Kafka {
    /// Starts it and waits until it accepts connections. Data that an earlier process left, stopped
    /// or killed, is taken up again.
    pub async fn start(options: KafkaOptions) -> Result<Self, ServerError> {
        Self::start_as(&Node::ALONE, None, options).await
    }

    /// The same with this library loaded before all others.
    pub async fn start_preloading(
        library: &Path,
        options: KafkaOptions,
    ) -> Result<Self, ServerError> {
        Self::start_as(&Node::ALONE, Some(library.to_owned()), options).await
    }

    /// The same behind a proxy: the broker tells its clients to come to this port in place of its own.
    pub async fn start_behind(
        options: KafkaOptions,
        proxy_port: Option<u16>,
    ) -> Result<Self, ServerError> {
        Self::start_as(&Node { proxy_port, ..Node::ALONE }, None, options).await
    }

    async fn start_as(
        node: &Node,
        library: Option<PathBuf>,
        options: KafkaOptions,
    ) -> Result<Self, ServerError> {
        paths::make_own(&options.data)?;
        let data = options.data.canonicalize()?;
        let Some(lock) = paths::lock(&data.join("lock"), LOCK_TIMEOUT).await? else {
            return Err(not_started(format!("another one is using {}", data.display())));
        };
        let java = java::find()?;
        let jars = java::jars().await?;
        format(&data, node)?;
        let password = secret::kept_in(&data.join(PASSWORD))?;
        let outlives_parent = options.outlives_parent;
        let broker = Broker { java, jars, data, password, library, outlives_parent };

        for _ in 0..ports::ATTEMPTS {
            if options.port != 0 && !ports::is_free(options.port) {
                return Err(not_started(format!("port {} is taken", options.port)));
            }
            let [free, controller] = ports::free()?;
            let port = if options.port == 0 { free } else { options.port };
            let properties = node.properties(port, controller, &broker.password);
            if let Some(child) = broker.run(port, &properties, lock.try_clone()?).await? {
                let password = broker.password;
                return Ok(Self { child, port, password });
            }
        }
        Err(not_started("every port it was given was taken by another process".to_owned()))
    }

    /// Whether its jars are not here yet, so that [`Self::start`] downloads them first.
    pub fn must_be_fetched() -> bool {
        !java::folder().is_dir()
    }

    /// `host:port`.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of [`USER`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The broker's process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Waits for its end.
    pub fn exited(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        self.child.exited()
    }

    /// Signals it: kills it, freezes it, lets it go on.
    pub fn signal(&self, signal: Signal) {
        self.child.signal(signal);
    }

    /// Stops it in order and waits for its end.
    pub async fn stop(self) -> Result<(), ServerError> {
        self.child.stop(Signal::SIGTERM, Duration::from_secs(30)).await;
        Ok(())
    }
}

/// One of the brokers that know each other.
#[derive(Clone)]
struct Node {
    /// From 1 on.
    id: usize,
    /// The ports of all controllers, by their ids; of one that is alone, any port.
    controllers: Vec<u16>,
    /// Where clients are told to come to, if not to its own port.
    proxy_port: Option<u16>,
}

impl Node {
    const ALONE: Self = Self { id: 1, controllers: Vec::new(), proxy_port: None };

    /// The server's, for these ports.
    fn properties(&self, port: u16, free: u16, password: &str) -> String {
        let controller = self.controllers.get(self.id - 1).copied().unwrap_or(free);
        let advertised = "advertised.listeners=CLIENTS://127.0.0.1:";
        let proxy_port = self.proxy_port.unwrap_or(port);
        // In this order, since the free port may be one of the two that stand for others.
        let properties = PROPERTIES
            .replace("29093", "CONTROLLER_PORT")
            .replace(&format!("{advertised}29092"), &format!("{advertised}{proxy_port}"))
            .replace("29092", &port.to_string())
            .replace("CONTROLLER_PORT", &controller.to_string())
            .replace("PASSWORD", password);
        if self.controllers.is_empty() { properties } else { properties + &self.of_cluster() }
    }

    /// What formatting the storage writes; the ids are 16 bytes in URL-safe base64.
    fn meta_properties(&self) -> String {
        let Self { id, .. } = self;
        format!(
            "version=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\nnode.id={id}\n\
             directory.id=DeWZPrsGXMZFRaqm4tuP{id}A\n"
        )
    }
}

/// The broker writes the rest of a fresh storage itself.
fn format(data: &Path, node: &Node) -> io::Result<()> {
    let storage = data.join("kafka-data");
    let meta = storage.join("meta.properties");
    if meta.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&storage)?;
    std::fs::write(meta, node.meta_properties())
}

/// A data folder and what serves it.
struct Broker {
    java: Java,
    jars: PathBuf,
    data: PathBuf,
    password: String,
    /// Loaded before all others.
    library: Option<PathBuf>,
    outlives_parent: bool,
}

impl Broker {
    /// The broker once it is ready; `None` if a port was taken.
    async fn run(
        &self,
        port: u16,
        properties: &str,
        lock: File,
    ) -> Result<Option<Child>, ServerError> {
        secret::keep(&self.data.join("server.properties"), properties)?;
        let mut command = Command::new(&self.java.program);
        command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"]);
        command.arg("-XX:+ExitOnOutOfMemoryError");
        command.args([
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.log.kafka.network.DataPlaneAcceptor=info",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss",
        ]);
        let mut locks = vec![lock];
        locks.extend(self.share_classes(&mut command)?);
        command.arg("-cp").arg(self.jars.join("*")).args(["kafka.Kafka", "server.properties"]);
        // Its storage and properties are named relative to this folder.
        command.current_dir(&self.data);
        command.envs(self.library.iter().map(|library| ("LD_PRELOAD", library)));
        let log = LogFile::attach(&self.data.join("kafka.log"), &mut command)?;
        // SIGTERM: a clean stop, after which the next start need not wait for the old session.
        let signals = StopSignals {
            orphaned: (!self.outlives_parent).then_some(Signal::SIGTERM),
            dropped: Signal::SIGKILL,
        };
        let child = Child::spawn(command, signals, locks)?;

        let ready = format!("{READY}{port}.");
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        loop {
            let text = log.text();
            if child.exit().is_some() {
                if text.contains(ports::TAKEN) {
                    return Ok(None);
                }
                return Err(not_started(log.last_lines()));
            }
            if text.contains(&ready) {
                return Ok(Some(child));
            }
            if tokio::time::Instant::now() > deadline {
                let waited = START_TIMEOUT.as_secs();
                return Err(not_started(format!("not ready in {waited} s; {}", log.last_lines())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts from an archive of loaded classes, which halves the time. The first run that is stopped
    /// in order writes it at its stop, holding the returned lock to its end; the next run adopts it.
    fn share_classes(&self, command: &mut Command) -> io::Result<Option<File>> {
        let archive = self.jars.join(format!("classes-{}.jsa", self.java.version));
        let unfinished = self.jars.join(format!("classes-{}.new", self.java.version));
        if !archive.exists() {
            if self.outlives_parent {
                // It is killed in the end, so it would hold the lock and write nothing.
                return Ok(None);
            }
            let lock = paths::lock_file(&self.jars.join("classes.lock"))?;
            if lock.try_lock().is_err() {
                return Ok(None);
            }
            if unfinished.exists() {
                std::fs::rename(&unfinished, &archive)?;
            } else {
                let mut option = std::ffi::OsString::from("-XX:ArchiveClassesAtExit=");
                option.push(unfinished);
                command.arg(option);
                return Ok(Some(lock));
            }
        }
        let mut option = std::ffi::OsString::from("-XX:SharedArchiveFile=");
        option.push(archive);
        // Without the archive, or with a stale one, it starts all the same.
        command.arg("-Xshare:auto").arg(option);
        Ok(None)
    }
}

fn not_started(reason: String) -> ServerError {
    ServerError::NotStarted { part: PART, reason }
}
