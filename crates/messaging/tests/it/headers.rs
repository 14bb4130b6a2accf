//! What stands on a message: CloudEvents 1.0 in Kafka's binary mode, and the trace.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use karcis_contracts::{BookingFact, EventCommand, Message as _, ReserveTickets};
use karcis_kernel::{BookingId, EventId, UserId};
use karcis_messaging::Outgoing;
use karcis_process::trace;
use karcis_testkit::eventually;
use rdkafka::{
    Message,
    consumer::{Consumer, StreamConsumer},
    message::{Headers, OwnedMessage},
};
use uuid::Uuid;

use crate::harness::{TestApp, note};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_command_says_what_it_is_and_to_which_booking_and_trace_it_belongs() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let command = ReserveTickets {
        booking_id: BookingId(Uuid::now_v7()),
        event_id: EventId(Uuid::now_v7()),
        user_id: UserId(Uuid::now_v7()),
        items: Vec::new(),
        expected_total: None,
    };
    let command = EventCommand::from(command);
    let caller = trace::parse(CALLER).unwrap();
    let before = karcis_process::now();

    let outgoing = trace::scope(caller, async { Outgoing::new(&command).attempt(3) }).await;
    app.send(&relay.part, &[outgoing]).await;
    let received = first_of(&app, EventCommand::TOPIC).await;

    assert_eq!(received.key(), Some(command.key().to_string().as_bytes()));
    assert_eq!(received.payload(), Some(command.body().unwrap().as_slice()));
    let mut headers = headers(&received);
    let mut take = |name: &str| headers.remove(name).unwrap();
    assert_eq!(take("ce_specversion"), "1.0");
    assert_eq!(take("ce_type"), "karcis.ReserveTickets.v1");
    assert_eq!(take("ce_source"), "booking-service");
    assert_eq!(take("ce_subject"), command.key().to_string());
    assert_eq!(take("ce_correlationid"), command.correlation().unwrap().to_string());
    assert_eq!(take("ce_attempt"), "3");
    assert_eq!(take("content-type"), "application/json");
    take("ce_id").parse::<Uuid>().unwrap();
    let time: DateTime<Utc> = take("ce_time").parse().unwrap();
    assert!((before..karcis_process::now()).contains(&time), "{time} is not now");
    assert_eq!(take("traceparent"), CALLER);
    assert!(headers.is_empty(), "and nothing else: {headers:?}");
}

#[tokio::test]
async fn a_message_outside_any_trace_carries_none() {
    let app = TestApp::start().await;
    let relay = app.relay();

    app.send(&relay.part, &[note(Uuid::now_v7(), 1)]).await;
    let headers = headers(&first_of(&app, BookingFact::TOPIC).await);

    assert_eq!(headers["ce_attempt"], "1");
    assert!(!headers.contains_key("traceparent"));
}

#[tokio::test]
async fn a_handler_works_for_the_trace_of_each_message() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let booking = Uuid::now_v7();
    let (found, traces) = std::sync::mpsc::channel();
    let _reader = app.reader_that(move |notes| {
        found.send(trace::header(&trace::of(Some(notes[0].0)))).unwrap();
        Ok(())
    });
    let caller = trace::parse(CALLER).unwrap();

    let outgoing = trace::scope(caller, async { note(booking, 1) }).await;
    app.send(&relay.part, &[outgoing]).await;

    let found = eventually(|| async { traces.try_recv() }).await;
    assert_eq!(found.as_deref(), Some(CALLER));
}

/// The first message of the topic.
pub(crate) async fn first_of(app: &TestApp, topic: &str) -> OwnedMessage {
    let consumer: StreamConsumer = app
        .environment
        .kafka_client()
        .set("group.id", Uuid::now_v7().to_string())
        .set("auto.offset.reset", "earliest")
        // A new topic is not known at once to a broker that has much to do.
        .set("topic.metadata.refresh.interval.ms", "1000")
        .create()
        .unwrap();
    consumer.subscribe(&[&app.environment.kafka().topic(topic)]).unwrap();
    let message = async {
        loop {
            if let Ok(message) = consumer.recv().await {
                return message.detach();
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), message).await.unwrap()
}

fn headers(message: &OwnedMessage) -> BTreeMap<String, String> {
    let headers = message.headers().unwrap().iter();
    headers
        .map(|header| {
            let value = String::from_utf8(header.value.unwrap().to_vec()).unwrap();
            (header.key.to_owned(), value)
        })
        .collect()
}
