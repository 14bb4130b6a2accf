//! The broker lets one member have a name: who had it before is fenced.

use std::time::Duration;

use karcis_testkit::eventually;
use rdkafka::{
    consumer::{Consumer, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode::FencedInstanceId},
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::harness::{TestApp, note};

#[tokio::test]
async fn a_fenced_reader_joins_again_and_misses_nothing() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let reader = app.reader_of(&app.instance("fenced"), |_| Ok(()));
    let booking = Uuid::now_v7();
    app.send(&relay.part, &[note(booking, 0)]).await;
    eventually(|| async { reader.part.notes(booking) }).is(vec![0]).await;

    take_the_name(&app, "fenced").await;
    app.send(&relay.part, &[note(booking, 1)]).await;

    eventually(|| async { reader.part.first_notes(booking) }).is(vec![0, 1]).await;
    reader.stop().await;
}

#[tokio::test]
async fn of_two_with_one_name_one_ends_and_the_other_reads() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let readers = [(); 2].map(|()| app.reader_of(&app.instance("same"), |_| Ok(())));
    let ended = || readers.iter().filter(|reader| reader.task.is_finished()).count();
    eventually(async || ended()).is(1).await;

    let booking = Uuid::now_v7();
    app.send(&relay.part, &[note(booking, 0)]).await;
    let read = async || readers.iter().any(|reader| !reader.part.notes(booking).is_empty());
    eventually(read).is(true).await;
    assert_eq!(ended(), 1);
}

/// Joins the group under this name, and dies once the name is taken.
async fn take_the_name(app: &TestApp, instance: &str) {
    let group = format!("{}reader", app.flag("--topic-prefix"));
    let taker: StreamConsumer = app
        .environment
        .kafka_client()
        .set("group.id", &group)
        .set("group.instance.id", format!("{group}-{instance}"))
        .create()
        .unwrap();
    taker.subscribe(&[&app.environment.kafka().topic("karcis.bookings.v1")]).unwrap();
    let has_it = async || {
        let seen = timeout(Duration::from_millis(100), taker.recv()).await;
        // It was taken back already.
        let had_it = matches!(seen, Ok(Err(KafkaError::MessageConsumptionFatal(FencedInstanceId))));
        had_it || taker.assignment().unwrap().count() > 0
    };
    eventually(has_it).is(true).await;
}
