//! What the fleet had to mend: commands that were sent again, and money that went back.

use std::{collections::BTreeMap, time::Duration};

use karcis_schemas::BOOKING;
use karcis_testkit::TestEnvironment;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::Headers,
};
use sqlx::PgPool;

const TIMEOUT: Duration = Duration::from_secs(20);

/// How often each was done.
pub(crate) async fn repairs(environment: &TestEnvironment) -> BTreeMap<String, u64> {
    let mut repairs = money(environment.superuser()).await.expect("the ledger can be read");
    let client = environment.kafka_client();
    let topics: Vec<String> =
        BOOKING.writes.iter().map(|topic| environment.kafka().topic(topic)).collect();
    let counted = tokio::task::spawn_blocking(move || sent_again(client, &topics)).await;
    let counted = counted.expect("counting does not panic").expect("the topics can be read");
    repairs.insert("commands sent again".to_owned(), counted);
    repairs
}

async fn money(superuser: &PgPool) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    const COUNT: &str = "
        SELECT count(*) FILTER (WHERE key LIKE 'refund/%'), count(*) FILTER (WHERE key LIKE 'return/%')
        FROM simulated_gateway.refund";
    let (refunds, returns): (i64, i64) = sqlx::query_as(COUNT).fetch_one(superuser).await?;
    let counts = [("refunds", refunds), ("money that came late returned", returns)];
    Ok(counts.map(|(what, count)| (what.to_owned(), count.cast_unsigned())).into())
}

/// How many messages in these topics are not the first of their command.
fn sent_again(mut client: rdkafka::ClientConfig, topics: &[String]) -> Result<u64, KafkaError> {
    let client: BaseConsumer = client.set("group.id", "chaos").create()?;
    let mut left = TopicPartitionList::new();
    let mut ends = BTreeMap::new();
    for topic in topics {
        let metadata = client.fetch_metadata(Some(topic), TIMEOUT)?;
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            let (begin, end) = client.fetch_watermarks(topic, partition.id(), TIMEOUT)?;
            if begin < end {
                left.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
                ends.insert((topic.clone(), partition.id()), end);
            }
        }
    }
    client.assign(&left)?;
    let mut again = 0;
    while !ends.is_empty() {
        let Some(message) = client.poll(TIMEOUT) else { break };
        let message = message?;
        let attempt = message.headers().and_then(|headers| {
            let mut headers = headers.iter();
            headers.find(|header| header.key == "ce_attempt")?.value
        });
        again += u64::from(attempt.is_some_and(|attempt| attempt != b"1"));
        let place = (message.topic().to_owned(), message.partition());
        if ends.get(&place).is_some_and(|end| message.offset() + 1 >= *end) {
            ends.remove(&place);
        }
    }
    Ok(again)
}
