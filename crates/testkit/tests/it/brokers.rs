//! A broker of a test's own comes back where it was, with what it had.

use std::time::Duration;

use karcis_testkit::{Broker, TestEnvironment, eventually, kafka_client};
use rdkafka::consumer::{BaseConsumer, Consumer};

#[tokio::test]
async fn it_keeps_its_topics_over_a_stop() {
    let mut broker = Broker::start().await;
    let environment = TestEnvironment::on_kafka(broker.bootstrap_servers()).await;
    broker.stop().await;
    broker.start_again().await;
    let client: BaseConsumer = kafka_client(broker.bootstrap_servers()).create().unwrap();
    let topic = environment.kafka().topic("karcis.events.v1");
    // It answers a moment before it knows its topics.
    let knows_it = async || {
        let metadata = client.fetch_metadata(None, Duration::from_secs(100)).unwrap();
        metadata.topics().iter().any(|found| found.name() == topic)
    };
    eventually(knows_it).is(true).await;
}
