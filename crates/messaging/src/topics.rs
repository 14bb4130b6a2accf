//! The topics as a broker has them. A deployment creates them, not a service.
//!
//! Guarantees: an existing topic is never changed; of a new one with three copies or more, what is acknowledged
//! has two; nothing waits for the broker longer than 30 s.

use std::time::Duration;

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError as ClientError, RDKafkaErrorCode},
};

use crate::{Kafka, KafkaError, kafka::Reports};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A topic of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name, with the deployment's prefix.
    pub name: String,
    /// Its partitions.
    pub partitions: usize,
    /// Copies of each partition.
    pub replication: usize,
}

impl Kafka {
    /// Creates every topic of [`karcis_contracts::TOPICS`] that is missing; a replication of -1 is
    /// the broker's default. With three copies or more, two brokers have to have a message before it is
    /// acknowledged, whatever their own default is: with one, its death could lose what was acknowledged.
    pub async fn create_topics(&self, partitions: i32, replication: i32) -> Result<(), KafkaError> {
        let admin: AdminClient<Reports> = self.settings().create_with_context(Reports::default())?;
        let names = self.topic_names();
        let topics = names.each_ref().map(|name| {
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication))
                .set("cleanup.policy", "delete");
            if replication >= 3 { topic.set("min.insync.replicas", "2") } else { topic }
        });
        let options =
            AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT));
        for created in admin.create_topics(&topics, &options).await? {
            match created {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(ClientError::AdminOp(code).into()),
            }
        }
        Ok(())
    }

    /// Those of [`karcis_contracts::TOPICS`] that are there.
    pub async fn topics(&self) -> Result<Vec<Topic>, KafkaError> {
        let kafka = self.clone();
        let asked = tokio::task::spawn_blocking(move || kafka.ask_for_topics());
        asked.await.expect("the question does not panic")
    }

    fn ask_for_topics(&self) -> Result<Vec<Topic>, KafkaError> {
        let admin: AdminClient<DefaultClientContext> = self.settings().create()?;
        // Of all topics, since asking for one by its name may create it.
        let metadata = admin.inner().fetch_metadata(None, TIMEOUT)?;
        let names = self.topic_names();
        let known =
            metadata.topics().iter().filter(|topic| names.iter().any(|name| name == topic.name()));
        let mut topics: Vec<_> = known
            .map(|topic| Topic {
                name: topic.name().to_owned(),
                partitions: topic.partitions().len(),
                replication: topic.partitions().first().map_or(0, |first| first.replicas().len()),
            })
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// What this deployment calls each of [`karcis_contracts::TOPICS`].
    pub fn topic_names(&self) -> [String; karcis_contracts::TOPICS.len()] {
        karcis_contracts::TOPICS.map(|topic| self.topic(topic))
    }
}
