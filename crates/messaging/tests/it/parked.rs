//! A message that the broker never takes is parked, and nothing waits for it.

use std::time::Duration;

use karcis_contracts::{BookingFact, Message, UserFact, UserRegistered};
use karcis_database::audit;
use karcis_kernel::{Role, UserId};
use karcis_messaging::{Acted, Outbox, Outgoing, ParkedMessage, ParkedMessages};
use karcis_testkit::eventually;
use rdkafka::{
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
    message::Message as _,
};
use uuid::Uuid;

use crate::{
    harness::{TestApp, by, note, note_of},
    headers::first_of,
};

/// Larger than the topic takes, as the test sets it.
const TOO_LARGE: usize = 20_000;

/// Less than the time after which a relay parks the messages of a refused topic.
const BEFORE_PARKING: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_message_that_is_too_large_is_parked_and_the_others_are_sent_once() {
    let app = TestApp::start().await;
    limit_messages_to(&app, TOO_LARGE / 2).await;
    let booking = Uuid::now_v7();
    // Together they are larger than the topic takes, too: the broker refuses them with the large one.
    let size = |n| if n == 50 { TOO_LARGE } else { 300 };
    let notes: Vec<_> = (0..100).map(|n| note_of(booking, n, size(n))).collect();
    let others: Vec<_> = (0..100).map(|n| note(Uuid::now_v7(), n)).collect();
    let outbox = Outbox::new(app.pool.clone(), "booking-service");
    app.send(&outbox, &[notes, others].concat()).await;
    let relay = app.relay();
    let reader = app.reader();

    let rest: Vec<_> = (0..100).filter(|n| *n != 50).collect();
    eventually(|| async { reader.part.notes(booking) }).is(rest.clone()).await;
    eventually(|| app.unsent()).is(0).await;
    let parked = parked(&app, &outbox).await;
    let [one] = &parked[..] else { panic!("{} are parked", parked.len()) };
    assert_eq!((one.topic.as_str(), one.key), (BookingFact::TOPIC, booking));
    assert!(one.error.contains("MessageSizeTooLarge"), "{}", one.error);
    assert!(one.body_bytes as usize > TOO_LARGE);
    assert_eq!(one.body.as_ref().map(Vec::len), Some(1_000), "its beginning");

    // The same message again, as a dead letter of it was sent again.
    let again = "INSERT INTO bookings.outbox (message_id, topic, key, kind, body)
                 SELECT id, topic, key, kind, body FROM bookings.parked_message";
    sqlx::query(again).execute(app.environment.superuser()).await.unwrap();
    outbox.notify();
    eventually(|| app.unsent()).is(0).await;
    assert_eq!(self::parked(&app, &outbox).await.len(), 1);

    // What an operator does once the topic takes it.
    limit_messages_to(&app, 10 * TOO_LARGE).await;
    let resend = async || operator(&app, &relay.part).resend(one.id, &by()).await.unwrap();
    assert_eq!(resend().await, Acted::Now);
    let all = || async { reader.part.notes(booking).last().copied() };
    eventually(all).is(Some(50)).await;
    assert_eq!(reader.part.notes(booking), [rest, vec![50]].concat(), "each came once");
    assert_eq!(reader.part.seen().len(), 200);
    assert_eq!(resend().await, Acted::Before, "it is sent");
    let acts = audit(&app.pool, None, 100).await.unwrap();
    let [act] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!((&*act.action, act.subject_id), ("resend_parked_message", one.id));
    assert_eq!(act.reason.as_deref(), Some("it is mended"));
    let detail = "karcis.bookings.v1 karcis.BookingCancelled.v1";
    assert_eq!(act.detail.as_deref(), Some(detail));
}

#[tokio::test]
async fn messages_of_a_missing_topic_hold_up_no_others_and_are_sent_once_it_is_there() {
    let app = TestApp::start().await;
    delete_topic(&app, UserFact::TOPIC).await;
    let outbox = Outbox::new(app.pool.clone(), "booking-service");
    // More than are read at once.
    let user = Uuid::now_v7();
    app.send(&outbox, &vec![registered(user); 1_500]).await;
    let booking = Uuid::now_v7();
    app.send(&outbox, &[note(booking, 1)]).await;
    let relay = app.relay();
    let reader = app.reader();

    eventually(|| async { reader.part.notes(booking) }).is(vec![1]).await;
    app.send(&relay.part, &[note(booking, 2)]).await;
    eventually(|| async { reader.part.notes(booking) }).is(vec![1, 2]).await;
    assert_eq!(app.unsent().await, 1_500);
    app.environment.kafka().create_topics(2, 1).await.unwrap();

    eventually(|| app.unsent()).is(0).await;
    assert_eq!(parked(&app, &relay.part).await, []);
    let first = first_of(&app, UserFact::TOPIC).await;
    assert_eq!(first.key(), Some(user.to_string().as_bytes()));
    assert_eq!(reader.part.notes(booking), [1, 2], "each came once");
}

#[tokio::test]
async fn messages_of_a_topic_that_stays_missing_are_parked_until_an_operator_decides() {
    let app = TestApp::start().await;
    delete_topic(&app, UserFact::TOPIC).await;
    let outbox = Outbox::parking_after(app.pool.clone(), "booking-service", Duration::ZERO);
    let relay = app.relay_of(outbox, app.environment.kafka());
    let users = [Uuid::now_v7(), Uuid::now_v7()];
    app.send(&relay.part, &users.map(registered)).await;

    eventually(async || parked(&app, &relay.part).await.len()).is(2).await;
    eventually(|| app.unsent()).is(0).await;
    let found = parked(&app, &relay.part).await;
    assert_eq!(pages(&app, &relay.part).await, found);
    let of = |user: Uuid| found.iter().find(|one| one.key == user).unwrap().clone();
    assert_eq!(of(users[0]).kind, "karcis.UserRegistered.v1");
    assert!(of(users[0]).error.contains("Unknown"), "{}", of(users[0]).error);
    let operator = operator(&app, &relay.part);
    let first = of(users[0]).id;
    assert_eq!(operator.resend(first, &by()).await.unwrap(), Acted::Now);
    let is_back = async || operator.find(first, 1).await.unwrap().is_some();
    eventually(is_back).is(true).await;
    app.environment.kafka().create_topics(2, 1).await.unwrap();
    assert_eq!(operator.discard(first, &by()).await.unwrap(), Acted::Now);
    assert_eq!(operator.resend(first, &by()).await.unwrap(), Acted::NotFound, "it was never sent");
    assert_eq!(operator.resend(of(users[1]).id, &by()).await.unwrap(), Acted::Now);

    // The relay may not have seen yet that the topic is there, and park it once more.
    eventually(async || {
        for parked in parked(&app, &relay.part).await {
            operator.resend(parked.id, &by()).await.unwrap();
        }
        app.unsent().await + parked(&app, &relay.part).await.len() as i64
    })
    .is(0)
    .await;
    let sent = first_of(&app, UserFact::TOPIC).await;
    assert_eq!(sent.key(), Some(users[1].to_string().as_bytes()));
    assert_eq!(header(&sent, "ce_id"), of(users[1]).id.to_string());
    let again = operator.discard(first, &by()).await.unwrap();
    assert_eq!(again, Acted::Before, "it is gone");
    assert_eq!(operator.find(first, 1).await.unwrap(), None);
}

#[tokio::test]
async fn messages_of_a_missing_topic_stop_neither_sales_nor_bulk_work() {
    let app = TestApp::start().await;
    delete_topic(&app, UserFact::TOPIC).await;
    let outbox = Outbox::new(app.pool.clone(), "booking-service");
    for _ in 0..4 {
        app.send(&outbox, &vec![registered(Uuid::now_v7()); 3_000]).await;
    }
    // One of them sends, and both take orders.
    let relays = [app.relay(), app.relay()];
    let may_go_on = async || {
        let outboxes = relays.each_ref().map(|relay| &relay.part);
        outboxes.map(|outbox| (outbox.state().is_behind(), outbox.room_for_bulk_work()))
    };
    // Nobody knows yet that the topic is missing.
    eventually(may_go_on).is([(true, 0); 2]).await;
    eventually(may_go_on).within(BEFORE_PARKING).is([(false, 1_000); 2]).await;
    assert_eq!(app.unsent().await, 12_000);

    app.environment.kafka().create_topics(2, 1).await.unwrap();
    eventually(|| app.unsent()).is(0).await;
    eventually(may_go_on).is([(false, 1_000); 2]).await;
}

#[tokio::test]
async fn a_relay_that_starts_again_and_again_parks_the_messages_of_a_missing_topic() {
    let app = TestApp::start().await;
    delete_topic(&app, UserFact::TOPIC).await;
    let after = Duration::from_secs(10);
    let outbox = Outbox::parking_after(app.pool.clone(), "booking-service", after);
    let relay = app.relay_of(outbox, app.environment.kafka());
    app.send(&relay.part, &[registered(Uuid::now_v7())]).await;
    let is_parked = eventually(async || parked(&app, &relay.part).await.len()).within(3 * after);
    // Each has time to be refused, and too little to park by itself.
    let mut ends = tokio::time::interval_at(tokio::time::Instant::now() + after, after);
    let ended = async {
        loop {
            ends.tick().await;
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'karcis % relay'";
            let ended = sqlx::query(end).execute(app.environment.superuser()).await.unwrap();
            assert_eq!(ended.rows_affected(), 1);
        }
    };
    tokio::select! {
        () = is_parked.is(1) => {}
        () = ended => unreachable!("it goes on for ever"),
    }
    assert_eq!(app.unsent().await, 0);
}

fn operator(app: &TestApp, outbox: &Outbox) -> ParkedMessages {
    ParkedMessages::new(app.pool.clone(), outbox.clone())
}

async fn parked(app: &TestApp, outbox: &Outbox) -> Vec<ParkedMessage> {
    operator(app, outbox).list(None, None, 1_000, 1_000).await.unwrap()
}

/// The same in pages of one.
async fn pages(app: &TestApp, outbox: &Outbox) -> Vec<ParkedMessage> {
    let mut parked: Vec<ParkedMessage> = Vec::new();
    loop {
        let after = parked.last().map(|one| (one.parked_at, one.id));
        let page = operator(app, outbox).list(None, after, 1, 1_000).await.unwrap();
        if page.is_empty() {
            return parked;
        }
        parked.extend(page);
    }
}

fn registered(user: Uuid) -> Outgoing {
    Outgoing::new(&UserFact::from(UserRegistered { user_id: UserId(user), role: Role::Buyer }))
}

fn header(message: &rdkafka::message::OwnedMessage, name: &str) -> String {
    use rdkafka::message::Headers;
    let mut headers = message.headers().unwrap().iter();
    let value = headers.find(|header| header.key == name).unwrap().value.unwrap();
    String::from_utf8(value.to_vec()).unwrap()
}

fn admin(app: &TestApp) -> AdminClient<DefaultClientContext> {
    app.environment.kafka_client().create().unwrap()
}

async fn limit_messages_to(app: &TestApp, bytes: usize) {
    let (topic, bytes) = (app.environment.kafka().topic(BookingFact::TOPIC), bytes.to_string());
    let limit = AlterConfig::new(ResourceSpecifier::Topic(&topic));
    let limit = limit.set("max.message.bytes", &bytes);
    let limited = admin(app).alter_configs([&limit], &AdminOptions::new()).await.unwrap();
    assert!(limited.iter().all(Result::is_ok), "{limited:?}");
}

async fn delete_topic(app: &TestApp, topic: &str) {
    let kafka = app.environment.kafka();
    let name = kafka.topic(topic);
    let deleted = admin(app).delete_topics(&[&name], &AdminOptions::new()).await.unwrap();
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    let is_there = async || kafka.topics().await.unwrap().iter().any(|topic| topic.name == name);
    eventually(is_there).is(false).await;
}
