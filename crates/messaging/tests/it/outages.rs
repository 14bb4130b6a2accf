//! A broker or a database that is away loses nothing and makes no one else wait.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use karcis_messaging::HandleError;
use karcis_schemas as schemas;
use karcis_testkit::{Broker, TestEnvironment, eventually};
use uuid::Uuid;

use crate::harness::{TestApp, note};

#[tokio::test]
async fn a_broker_that_is_away_loses_nothing() {
    let mut broker = Broker::start().await;
    let app = TestApp::on(TestEnvironment::on_kafka(broker.bootstrap_servers()).await).await;
    let relay = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();
    app.send(&relay.part, &[note(booking, 0)]).await;
    eventually(|| async { reader.part.notes(booking) }).is(vec![0]).await;
    eventually(|| app.unsent()).is(0).await;

    broker.stop().await;
    for n in 1..100 {
        app.send(&relay.part, &[note(booking, n)]).await;
    }
    eventually(|| async { relay.part.state().rows }).is(99).await;
    eventually(|| async { relay.part.state().oldest >= Duration::from_secs(1) }).is(true).await;
    broker.start_again().await;

    // What it handled just before and after the outage may come again.
    let notes = || async { reader.part.first_notes(booking) };
    eventually(notes).is((0..100).collect::<Vec<_>>()).await;
    eventually(|| async { relay.part.state().rows }).is(0).await;
    assert_eq!(relay.part.state().oldest, Duration::ZERO);
}

#[tokio::test]
async fn a_service_starts_without_a_broker() {
    let mut broker = Broker::start().await;
    let app = TestApp::on(TestEnvironment::on_kafka(broker.bootstrap_servers()).await).await;
    broker.stop().await;

    let relay = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();
    app.send(&relay.part, &[note(booking, 0)]).await;
    eventually(|| async { relay.part.state().rows }).is(1).await;
    broker.start_again().await;

    // Twice, if the broker's first acknowledgement was late.
    eventually(|| async { reader.part.notes(booking).contains(&0) }).is(true).await;
}

#[tokio::test]
async fn a_reader_whose_database_is_away_tries_again_in_place() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let is_away = Arc::new(AtomicBool::new(true));
    let away = is_away.clone();
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let reader = app.reader_that(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        match away.load(Ordering::SeqCst) {
            true => Err(HandleError::Unavailable("away".to_owned())),
            false => Ok(()),
        }
    });
    let bookings: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    let notes = |n| bookings.iter().map(|booking| note(*booking, n)).collect::<Vec<_>>();
    app.send(&relay.part, &notes(0)).await;
    eventually(|| async { tries.load(Ordering::SeqCst) > 1 }).is(true).await;

    // Another instance comes: the group must not wait for the one that cannot work.
    let other = app.reader_of(&app.instance("1"), |_| Ok(()));
    app.send(&relay.part, &notes(1)).await;
    let its_share = || async { other.part.seen().is_empty() };
    // Half of what a rebalance waits for a member that does not answer.
    eventually(its_share).within(Duration::from_secs(30)).is(false).await;
    app.send(&relay.part, &notes(2)).await;
    assert!(reader.part.seen().is_empty());
    is_away.store(false, Ordering::SeqCst);

    for booking in &bookings {
        // Partitions move between the two, so some notes are read by both.
        let readers = [&reader.part, &other.part];
        let seen = || async {
            let notes = readers.iter().flat_map(|reader| reader.notes(*booking));
            notes.collect::<BTreeSet<_>>()
        };
        eventually(seen).is(BTreeSet::from([0, 1, 2])).await;
        for reader in readers {
            assert!(reader.first_notes(*booking).is_sorted());
        }
    }
    assert!(app.environment.dead_letters(schemas::BOOKINGS).await.is_empty());
}

#[tokio::test]
async fn a_service_stops_although_the_broker_is_away() {
    let mut broker = Broker::start().await;
    let app = TestApp::on(TestEnvironment::on_kafka(broker.bootstrap_servers()).await).await;
    let relay = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();
    app.send(&relay.part, &[note(booking, 0)]).await;
    eventually(|| async { reader.part.notes(booking) }).is(vec![0]).await;
    eventually(|| app.unsent()).is(0).await;
    broker.stop().await;
    app.send(&relay.part, &[note(booking, 1)]).await;
    // By then the relay has read it, and waits for an ack that does not come.
    eventually(|| async { relay.part.state().rows }).is(1).await;

    let stopped = async { tokio::join!(reader.stop(), relay.stop()) };
    // Less than the 30 s after which an ack that does not come is given up anyway.
    tokio::time::timeout(Duration::from_secs(25), stopped).await.unwrap();
    assert_eq!(app.unsent().await, 1);
}
