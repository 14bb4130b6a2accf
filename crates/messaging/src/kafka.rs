//! The broker: where it is, what this deployment calls its topics and groups, and the settings of
//! every client.
//!
//! Guarantees: nothing here waits for the broker; a client that loses the broker asks for it again at
//! least each second; one whose broker stands still asks the others after 10 s.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use karcis_process::Progress;
use rdkafka::{
    ClientConfig, ClientContext, Statistics,
    config::RDKafkaLogLevel,
    error::{KafkaError as ClientError, RDKafkaErrorCode},
    producer::FutureProducer,
};

use crate::KafkaSecurity;

/// Where Kafka is.
#[derive(Clone, Debug, clap::Args)]
pub struct KafkaConfig {
    /// The brokers to ask first: host:port, several separated by commas.
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", default_value = "127.0.0.1:9092",
        value_name = "HOSTS", value_parser = hosts)]
    pub kafka_bootstrap_servers: String,
    /// Put before every topic and consumer group, so that deployments can share a broker.
    #[arg(long, env = "KARCIS_TOPIC_PREFIX", default_value = "", value_name = "PREFIX",
        value_parser = prefix)]
    pub topic_prefix: String,
    /// This instance's name among those of its service, stable over restarts [default: the host's
    /// name].
    #[arg(long, env = "KARCIS_INSTANCE", default_value_t = host_name(), hide_default_value = true,
        value_name = "NAME")]
    pub instance: String,
    /// Who this client is to the broker.
    #[command(flatten)]
    pub security: KafkaSecurity,
}

/// A container or pod keeps its host name when it is restarted.
fn host_name() -> String {
    nix::unistd::gethostname().map_or_else(|_| "0".to_owned(), |name| name.to_string_lossy().into())
}

fn hosts(text: &str) -> Result<String, &'static str> {
    let is_host = |host: &str| {
        host.trim().rsplit_once(':').is_some_and(|(name, port)| {
            !name.is_empty()
                && !name.contains('/')
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    let good = text.split(',').all(is_host);
    good.then(|| text.to_owned()).ok_or("give host:port, several separated by commas")
}

/// What Kafka allows in a topic's name.
fn prefix(text: &str) -> Result<String, &'static str> {
    let good = text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
    let good = good && text.len() <= 200;
    good.then(|| text.to_owned()).ok_or("give letters, digits, dots, dashes and underscores alone")
}

/// A setting that librdkafka rejects, or an error that no retry heals.
#[derive(Debug, thiserror::Error)]
#[error("kafka: {0}")]
pub struct KafkaError(#[from] ClientError);

impl KafkaError {
    /// Whether the broker gave this member's name to another.
    pub(crate) fn is_fenced(&self) -> bool {
        matches!(self.0, ClientError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId))
    }
}

/// What producers and consumers start from.
#[derive(Clone, Debug)]
pub struct Kafka {
    config: KafkaConfig,
    /// What consumer and relay say of themselves.
    pub(crate) progress: Progress,
}

/// The relay's producer.
pub(crate) struct Producer {
    client: FutureProducer<Reports>,
    link: Link,
}

impl std::ops::Deref for Producer {
    type Target = FutureProducer<Reports>;

    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

impl Producer {
    /// Whether it has a connection to a broker, as of the last second; a new one has time to connect.
    pub(crate) fn is_connected(&self) -> bool {
        self.link.is_up()
    }
}

/// How long a new client may take to connect, and to say so.
const CONNECTS_WITHIN: Duration = Duration::from_secs(3);

/// Whether a client has a connection to a broker. One that has been told that there are no brokers, as a
/// broker says that was frozen for longer than its own session, may throw away all that it knows, its
/// bootstrap servers too, and never connect again (librdkafka 2.10 and later).
#[derive(Clone, Debug)]
pub(crate) struct Link {
    is_up: Arc<AtomicBool>,
    made: Instant,
}

impl Default for Link {
    fn default() -> Self {
        Self { is_up: Arc::default(), made: Instant::now() }
    }
}

impl Link {
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed) || self.made.elapsed() < CONNECTS_WITHIN
    }

    /// Takes note of what librdkafka says each second.
    pub(crate) fn note(&self, statistics: &Statistics) {
        let mut brokers = statistics.brokers.values();
        let is_up = brokers.any(|it| it.source != "logical" && it.state == "UP");
        self.is_up.store(is_up, Ordering::Relaxed);
    }
}

impl Kafka {
    /// Does not wait for the broker: a service starts, and serves, without it.
    pub fn connect(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let kafka = Self { config: config.clone(), progress: Progress::default() };
        kafka.producer_settings().create_native_config()?;
        kafka.consumer_settings("").create_native_config()?;
        Ok(kafka)
    }

    /// The same, whose consumer and relay say on `progress` that they go on.
    pub fn watched_by(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// What this deployment calls `topic`.
    pub fn topic(&self, topic: &str) -> String {
        format!("{}{topic}", self.config.topic_prefix)
    }

    /// What contracts call this deployment's `topic`; another deployment's keeps its name.
    pub(crate) fn plain_topic<'a>(&self, topic: &'a str) -> &'a str {
        topic.strip_prefix(self.config.topic_prefix.as_str()).unwrap_or(topic)
    }

    /// A producer that keeps the order of what it is given, and neither loses nor doubles it.
    pub(crate) fn producer(&self) -> Result<Producer, KafkaError> {
        let reports = Reports::default();
        let link = reports.link.clone();
        Ok(Producer { client: self.producer_settings().create_with_context(reports)?, link })
    }

    /// Who this instance is to the broker.
    pub(crate) fn client_id(&self) -> String {
        format!("karcis-{}", self.config.instance)
    }

    pub(crate) fn settings(&self) -> ClientConfig {
        let mut settings = ClientConfig::new();
        settings
            .set("bootstrap.servers", &self.config.kafka_bootstrap_servers)
            .set("client.id", self.client_id())
            .set("reconnect.backoff.max.ms", "1000")
            // A topic created after its readers is seen within this, not within five minutes.
            .set("topic.metadata.refresh.interval.ms", "10000")
            // How long a topic may be missing before a producer's messages fail, which the relay sends again,
            // and a consumer forgets how far it was: it would go on there if another topic took its place.
            .set("topic.metadata.propagation.max.ms", "3000")
            .set("socket.keepalive.enable", "true")
            // A broker that stands still keeps its connections: what it was asked, others are asked again only
            // after this. By default, after 60 s.
            .set("socket.timeout.ms", "6000")
            .set("log.connection.close", "false")
            .set_log_level(RDKafkaLogLevel::Warning);
        self.config.security.apply(&mut settings);
        settings
    }

    fn producer_settings(&self) -> ClientConfig {
        let mut settings = self.settings();
        settings
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "0")
            .set("statistics.interval.ms", "1000")
            // Then the relay reads its rows again, and with a new producer.
            .set("message.timeout.ms", "30000")
            // As every other client hashes keys, so that operators' tools hit the same partition.
            .set("partitioner", "murmur2_random");
        settings
    }

    /// For one member of group `service`.
    pub(crate) fn consumer_settings(&self, service: &str) -> ClientConfig {
        let group = self.topic(service);
        let mut settings = self.settings();
        settings
            .set("group.id", &group)
            // A restart within the session keeps its partitions: no other member has to stop.
            .set("group.instance.id", format!("{group}-{}", self.config.instance))
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500")
            // How long a rebalance waits for a member that does not serve its group.
            .set("max.poll.interval.ms", "60000")
            // What librdkafka reads ahead; by default it keeps 64 MiB and looks again after 1 s.
            .set("queued.max.messages.kbytes", "8192")
            .set("fetch.max.bytes", "8388608")
            .set("fetch.queue.backoff.ms", "50")
            // Whether it is connected, and how far it is behind, for an operator.
            .set("statistics.interval.ms", "1000")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest");
        settings
    }
}

/// Passes on what librdkafka reports. It repeats itself each second while the broker is away, so
/// only one error in 10 s is a warning.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    pub(crate) link: Link,
    last_warning: Mutex<Option<Instant>>,
}

impl Reports {
    pub(crate) fn warn(&self, error: &ClientError, reason: &str) {
        let mut last = self.last_warning.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if last.is_some_and(|at| at.elapsed() < Duration::from_secs(10)) {
            tracing::debug!(%error, reason, "kafka");
        } else {
            *last = Some(Instant::now());
            tracing::warn!(%error, reason, "kafka");
        }
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, line, "librdkafka");
            }
            // What it calls an error also reaches `error`, or heals by itself.
            _ => tracing::debug!(facility, line, "librdkafka"),
        }
    }

    fn stats(&self, statistics: Statistics) {
        self.link.note(&statistics);
    }

    fn error(&self, error: ClientError, reason: &str) {
        self.warn(&error, reason);
    }
}
