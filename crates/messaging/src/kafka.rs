//! The broker: where it is, and what this deployment calls its topics and groups.

use rdkafka::producer::FutureProducer;

/// Where Kafka is.
#[derive(Clone, Debug, clap::Args)]
pub struct KafkaConfig {
    /// The brokers to ask first, `host:port` separated by commas.
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", default_value = "127.0.0.1:9092")]
    pub kafka_bootstrap_servers: String,
    /// Put before every topic and consumer group, so that deployments can share a broker.
    #[arg(long, env = "KARCIS_TOPIC_PREFIX", default_value = "")]
    pub topic_prefix: String,
    /// This instance's name among those of its service, stable over restarts.
    #[arg(long, env = "KARCIS_INSTANCE", default_value = "0")]
    pub instance: String,
}

/// A setting librdkafka refuses.
#[derive(Debug, thiserror::Error)]
#[error("kafka: {0}")]
pub struct KafkaError(#[from] rdkafka::error::KafkaError);

/// One producer, and what consumers start from.
#[derive(Clone)]
pub struct Kafka {
    pub(crate) config: KafkaConfig,
    pub(crate) producer: FutureProducer,
}

impl Kafka {
    /// Does not wait for the broker: a service starts, and serves, without it.
    pub fn connect(_config: &KafkaConfig) -> Result<Self, KafkaError> {
        todo!()
    }

    /// What this deployment calls `topic`.
    pub fn topic(&self, topic: &str) -> String {
        format!("{}{topic}", self.config.topic_prefix)
    }

    /// Creates every topic of [`karcis_contracts::TOPICS`] that is missing.
    pub async fn create_topics(
        &self,
        _partitions: i32,
        _replication: i32,
    ) -> Result<(), KafkaError> {
        todo!()
    }
}
