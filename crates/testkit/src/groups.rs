//! The consumer groups of a test's services, as the broker sees them.

use std::time::Duration;

use karcis_schemas::Service;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::KafkaError,
};

use crate::{TestEnvironment, eventually};

/// How far a partition is read.
#[derive(Debug)]
#[expect(dead_code, reason = "a test that fails shows where")]
struct Read {
    topic: String,
    partition: i32,
    /// 0 if nothing is committed.
    committed: i64,
    end: i64,
}

const TIMEOUT: Duration = Duration::from_secs(20);

impl TestEnvironment {
    /// Waits until so many instances of the service have joined its group, and none is joining: from then
    /// on no message is handled twice because its partition moves. Returns the broker's ids of them, which
    /// are others once they have left and come back.
    pub async fn joined(&self, service: &'static Service, instances: usize) -> Vec<String> {
        let group = self.kafka().topic(service.full_name());
        let joined = async || {
            let name = group.clone();
            let found = self.ask(service, move |client| {
                let groups = client.fetch_group_list(Some(&name), TIMEOUT)?;
                let found = groups.groups().iter().find(|group| group.name() == name);
                Ok(found.map(|group| {
                    let members = group.members().iter().map(|member| member.id().to_owned());
                    (group.state().to_owned(), members.collect::<Vec<_>>())
                }))
            });
            match found.await {
                Ok(Some((state, members))) if state == "Stable" && members.len() == instances => {
                    Ok(members)
                }
                other => Err(format!("{other:?}")),
            }
        };
        eventually(joined).await
    }

    /// Waits until the service has committed that all messages of its topics are handled: they do not
    /// come again.
    pub async fn all_handled(&self, service: &'static Service) {
        let behind = async || {
            let mut partitions = self.offsets(service).await.map_err(|error| error.to_string())?;
            partitions.retain(|partition| partition.committed < partition.end);
            if partitions.is_empty() { Ok(()) } else { Err(format!("{partitions:?}")) }
        };
        eventually(behind).await;
    }

    /// How many messages of its topics the service has not handled yet.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn lag(&self, service: &'static Service) -> Result<i64, KafkaError> {
        let partitions = self.offsets(service).await?;
        Ok(partitions.iter().map(|it| (it.end - it.committed).max(0)).sum())
    }

    /// The offsets up to which the service has committed its partitions, together; a partition without
    /// a commit counts as 0.
    pub async fn committed(&self, service: &'static Service) -> i64 {
        let partitions = eventually(|| self.offsets(service)).await;
        partitions.iter().map(|partition| partition.committed).sum()
    }

    /// Makes a stopped service begin again at the first message of its topics.
    pub async fn rewind(&self, service: &'static Service) {
        let names: Vec<String> =
            service.reads.iter().map(|topic| self.kafka().topic(topic)).collect();
        // The group forgets a member that stopped when its session ends.
        let rewound = async || {
            let names = names.clone();
            self.ask(service, move |client| {
                let mut begin = partitions(client, &names)?;
                begin.set_all_offsets(Offset::Offset(0))?;
                client.commit(&begin, CommitMode::Sync)
            })
            .await
        };
        eventually(rewound).await;
    }

    /// The partitions of the service's topics.
    async fn offsets(&self, service: &'static Service) -> Result<Vec<Read>, KafkaError> {
        let names: Vec<String> =
            service.reads.iter().map(|topic| self.kafka().topic(topic)).collect();
        self.ask(service, move |client| {
            let committed = client.committed_offsets(partitions(client, &names)?, TIMEOUT)?;
            let read = committed.elements().into_iter().map(|it| {
                let (topic, partition) = (it.topic().to_owned(), it.partition());
                let (_, end) = client.fetch_watermarks(&topic, partition, TIMEOUT)?;
                let committed = it.offset().to_raw().unwrap_or_default().max(0);
                Ok(Read { topic, partition, committed, end })
            });
            read.collect()
        })
        .await
    }

    /// What the broker answers to a client that is in the service's group and reads nothing.
    async fn ask<T: Send + 'static>(
        &self,
        service: &'static Service,
        ask: impl FnOnce(&BaseConsumer) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, KafkaError> {
        let group = self.kafka().topic(service.full_name());
        let mut client = self.kafka_client();
        let asked = tokio::task::spawn_blocking(move || {
            let client: BaseConsumer =
                client.set("group.id", group).set("enable.auto.commit", "false").create()?;
            ask(&client)
        });
        asked.await.expect("the question does not panic")
    }
}

/// All partitions of these topics.
fn partitions(client: &BaseConsumer, topics: &[String]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for name in topics {
        let metadata = client.fetch_metadata(Some(name), TIMEOUT)?;
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            list.add_partition(name, partition.id());
        }
    }
    Ok(list)
}
