//! Asks the broker, as a client of its own that neither reads nor sends, whether it answers, and what waits
//! in a group's topics.

use std::{collections::HashSet, time::Duration};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError as ClientError, KafkaResult},
    types::RDKafkaErrorCode,
};
use tokio::sync::oneshot;

use crate::Kafka;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(3);

/// A topic and a partition.
pub(crate) type Partition = (String, i32);

/// What the broker has of a partition.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) partition: Partition,
    /// Up to where the group has handled it.
    pub(crate) committed: Option<i64>,
    /// Its first message.
    begin: i64,
    /// Behind its last message.
    pub(crate) end: i64,
}

impl Place {
    /// Whether there is something that the group has not handled. An offset beyond the end is another
    /// log's: this one was made again, or lost its end.
    pub(crate) fn waits(&self) -> bool {
        let handled = self.committed.filter(|committed| *committed <= self.end);
        handled.map_or(self.begin, |committed| committed.max(self.begin)) < self.end
    }
}

/// Asks, in threads of its own.
pub(crate) struct Probe {
    settings: ClientConfig,
    /// Kept between questions while all is well.
    client: Option<BaseConsumer>,
}

impl Probe {
    pub(crate) fn new(kafka: &Kafka) -> Self {
        Self { settings: kafka.settings(), client: None }
    }

    /// Whether the broker answers a new client.
    pub(crate) async fn answers(&mut self) -> bool {
        self.ask(true, |client| client.fetch_metadata(None, ANSWER).map(drop)).await.is_ok()
    }

    /// Asks, by a new client if it is to be `fresh`. Waits in a thread of its own: one of the runtime's would
    /// keep the process from ending.
    async fn ask<T: Send + 'static>(
        &mut self,
        fresh: bool,
        ask: impl FnOnce(&BaseConsumer) -> KafkaResult<T> + Send + 'static,
    ) -> KafkaResult<T> {
        let (settings, client) = (self.settings.clone(), self.client.take());
        let (answer, answered) = oneshot::channel();
        std::thread::spawn(move || {
            let client = client.filter(|_| !fresh).map_or_else(|| settings.create(), Ok);
            let outcome = client.and_then(|client| ask(&client).map(|found| (client, found)));
            // Nobody may be waiting.
            let _ = answer.send(outcome);
        });
        let (client, found) = answered.await.map_err(|_| ClientError::Canceled)??;
        self.client = Some(client);
        Ok(found)
    }
}

impl Drop for Probe {
    /// A client may wait for its broker when it is closed.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            std::thread::spawn(move || drop(client));
        }
    }
}

/// Asks about one group and its topics.
pub(crate) struct GroupProbe {
    probe: Probe,
    group: String,
    client_id: String,
    topics: Vec<String>,
}

impl GroupProbe {
    pub(crate) fn new(kafka: &Kafka, service: &str, topics: &[&str]) -> Self {
        let mut probe = Probe::new(kafka);
        let group = kafka.topic(service);
        probe.settings.set("group.id", &group).set("enable.auto.commit", "false");
        let topics = topics.iter().map(|topic| kafka.topic(topic)).collect();
        Self { probe, group, client_id: kafka.client_id(), topics }
    }

    /// All partitions of the topics that are there; asked by a new client if it is to be `fresh`.
    pub(crate) async fn places(&mut self, fresh: bool) -> KafkaResult<Vec<Place>> {
        let topics = self.topics.clone();
        self.probe.ask(fresh, move |client| places(client, &topics)).await
    }

    /// The partitions that other members have; all count as nobody's while they are being assigned.
    pub(crate) async fn of_others(&mut self) -> KafkaResult<HashSet<Partition>> {
        let (group, own) = (self.group.clone(), self.client_id.clone());
        let asked = self.probe.ask(false, move |client| {
            let list = client.fetch_group_list(Some(&group), ANSWER)?;
            let found =
                list.groups().iter().filter(|it| it.name() == group && it.state() == "Stable");
            let members = found.flat_map(|group| group.members());
            let others = members.filter(|member| member.client_id() != own);
            Ok(others.filter_map(|it| assigned(it.assignment()?)).flatten().collect())
        });
        asked.await
    }
}

fn places(client: &BaseConsumer, topics: &[String]) -> KafkaResult<Vec<Place>> {
    let mut list = TopicPartitionList::new();
    for topic in topics {
        let metadata = client.fetch_metadata(Some(topic), ANSWER)?;
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            list.add_partition(topic, partition.id());
        }
    }
    if list.count() == 0 {
        return Ok(Vec::new());
    }
    let [begins, ends] = [Offset::Beginning, Offset::End].map(|which| {
        let mut list = list.clone();
        list.set_all_offsets(which)?;
        client.offsets_for_times(list, ANSWER)
    });
    let (begins, ends) = (begins?, ends?);
    let committed = client.committed_offsets(list, ANSWER)?;
    let places = ends.elements().into_iter().map(|it| {
        let (topic, number) = (it.topic(), it.partition());
        let offset_in = |list: &TopicPartitionList| {
            let offset = list.find_partition(topic, number)?.offset();
            offset.to_raw().filter(|offset| *offset >= 0)
        };
        let known = offset_in(&begins).zip(offset_in(&ends));
        let (begin, end) =
            known.ok_or(ClientError::OffsetFetch(RDKafkaErrorCode::LeaderNotAvailable))?;
        let partition = (topic.to_owned(), number);
        Ok(Place { partition, committed: offset_in(&committed), begin, end })
    });
    places.collect()
}

/// What a member has, as the consumer protocol writes it: a version, then for each topic its name and
/// its partitions. Source: <https://kafka.apache.org/protocol> (ConsumerProtocolAssignment).
fn assigned(mut bytes: &[u8]) -> Option<Vec<Partition>> {
    let bytes = &mut bytes;
    let _version = bytes.split_off(..2)?;
    let mut partitions = Vec::new();
    for _ in 0..number(bytes)? {
        let length = i16::from_be_bytes(bytes.split_off(..2)?.try_into().ok()?);
        let topic = bytes.split_off(..usize::try_from(length).ok()?)?;
        let topic = std::str::from_utf8(topic).ok()?;
        for _ in 0..number(bytes)? {
            partitions.push((topic.to_owned(), number(bytes)?));
        }
    }
    Some(partitions)
}

fn number(bytes: &mut &[u8]) -> Option<i32> {
    Some(i32::from_be_bytes(bytes.split_off(..4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_the_groups_offset_waits_also_where_the_log_is_another_one() {
        let waits = |committed, begin, end| {
            Place { partition: (String::new(), 0), committed, begin, end }.waits()
        };
        assert!(waits(Some(4), 0, 5) && waits(None, 0, 5) && waits(Some(1), 3, 5));
        assert!(waits(Some(6), 0, 5), "of another log");
        assert!(!waits(Some(5), 0, 5) && !waits(None, 0, 0) && !waits(None, 5, 5));
        assert!(!waits(Some(9), 5, 5) && !waits(Some(2), 5, 5));
    }

    #[test]
    fn an_assignment_is_read_as_the_protocol_says() {
        let bytes =
            b"\0\x01\0\0\0\x02\0\x01a\0\0\0\x02\0\0\0\0\0\0\0\x07\0\x02bc\0\0\0\x01\0\0\0\x01";
        let expected = [("a", 0), ("a", 7), ("bc", 1)].map(|(topic, it)| (topic.to_owned(), it));
        assert_eq!(assigned(bytes), Some(expected.to_vec()));
        assert_eq!(assigned(&bytes[..9]), None);
        assert_eq!(assigned(b""), None);
    }
}
