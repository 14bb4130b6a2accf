//! All messages that a fleet has sent until now.

use std::time::Duration;

use karcis_testkit::TestEnvironment;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{Headers, OwnedMessage},
};

/// By the time when they were sent.
pub(crate) fn history(environment: &TestEnvironment) -> Vec<OwnedMessage> {
    let mut client = environment.kafka_client();
    client.set("group.id", "history").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = client.create().unwrap();
    let timeout = Duration::from_secs(30);
    let mut assigned = TopicPartitionList::new();
    let mut left = 0;
    for topic in &environment.kafka().topic_names() {
        let metadata = consumer.fetch_metadata(Some(topic), timeout).unwrap();
        for partition in metadata.topics()[0].partitions() {
            let (low, high) = consumer.fetch_watermarks(topic, partition.id(), timeout).unwrap();
            left += high - low;
            assigned.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        }
    }
    consumer.assign(&assigned).unwrap();
    let messages = (0..left).map(|_| consumer.poll(timeout).unwrap().unwrap().detach());
    let mut messages: Vec<OwnedMessage> = messages.collect();
    messages.sort_by_key(|message| message.timestamp().to_millis());
    messages
}

/// Its type, such as `karcis.ReserveTickets.v1`, and its key.
pub(crate) fn kind_and_key(message: &OwnedMessage) -> (String, String) {
    let key = String::from_utf8_lossy(message.key().unwrap());
    (header(message, "ce_type"), key.into_owned())
}

/// Its id, which it has whenever this very message is sent.
pub(crate) fn id(message: &OwnedMessage) -> String {
    header(message, "ce_id")
}

fn header(message: &OwnedMessage, name: &str) -> String {
    let mut headers = message.headers().unwrap().iter();
    let value = headers.find(|header| header.key == name).unwrap().value;
    String::from_utf8_lossy(value.unwrap()).into_owned()
}
