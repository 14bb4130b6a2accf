//! `karcis topics`: the topics, made once and never changed.

use std::time::Duration;

use clap::builder::FalseyValueParser;
use karcis_messaging::{Kafka, KafkaConfig, KafkaError, Topic};
use karcis_process::Environment;
use tokio::time::{Instant, sleep};

/// A broker may learn of a topic a moment after its controller made it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Which topics, and how to make them.
#[derive(clap::Args)]
pub(crate) struct TopicOptions {
    #[command(flatten)]
    kafka: KafkaConfig,
    /// Partitions of each topic, for its life: as many instances of a service can share its work
    #[arg(long, env = "KARCIS_TOPIC_PARTITIONS", default_value_t = 12, value_name = "COUNT",
        value_parser = clap::value_parser!(i32).range(1..))]
    topic_partitions: i32,
    /// Copies of each partition [default: the broker's default.replication.factor]; with 3 or more, two of
    /// them have a message before it counts as sent
    #[arg(long, env = "KARCIS_TOPIC_REPLICATION", default_value_t = -1, value_name = "COUNT",
        hide_default_value = true, allow_negative_numbers = true)]
    topic_replication: i32,
    /// Make none, only show and check those that are there
    #[arg(long, env = "KARCIS_TOPICS_CHECK", value_parser = FalseyValueParser::new())]
    check: bool,
    #[command(flatten)]
    _environment: Environment,
}

/// Why the topics are not as they should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopicsError {
    #[error("{0}")]
    Setting(KafkaError),
    #[error("{0}; is KAFKA_BOOTSTRAP_SERVERS right, and may this user create and describe topics?")]
    Broker(#[from] KafkaError),
    #[error(
        "topics with another number of partitions than {expected}: {topics}; set \
         KARCIS_TOPIC_PARTITIONS to what is there (adding some would end the order of a key)"
    )]
    Partitions { topics: String, expected: i32 },
    #[error("missing: {0}; make them with karcis topics")]
    Missing(String),
}

/// Makes what is missing, shows all, and fails if one is not as it should be.
pub(crate) async fn topics(options: TopicOptions) -> Result<(), TopicsError> {
    let kafka = Kafka::connect(&options.kafka).map_err(TopicsError::Setting)?;
    if !options.check {
        kafka.create_topics(options.topic_partitions, options.topic_replication).await?;
    }
    let wanted = kafka.topic_names();
    let deadline = Instant::now() + TIMEOUT;
    let there = loop {
        let there = kafka.topics().await?;
        if there.len() == wanted.len() || options.check || Instant::now() > deadline {
            break there;
        }
        sleep(Duration::from_millis(100)).await;
    };
    for Topic { name, partitions, replication } in &there {
        println!("{name}: {partitions} partitions, {replication} copies of each");
    }
    let missing = wanted.iter().filter(|name| there.iter().all(|topic| topic.name != **name));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(TopicsError::Missing(missing.join(", ")));
    }
    let expected = options.topic_partitions;
    let others = there.iter().filter(|topic| topic.partitions != expected as usize);
    let others: Vec<&str> = others.map(|topic| topic.name.as_str()).collect();
    if !others.is_empty() {
        return Err(TopicsError::Partitions { topics: others.join(", "), expected });
    }
    Ok(())
}
