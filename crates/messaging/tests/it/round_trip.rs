//! What is committed arrives, in order; what is rolled back does not.

use karcis_messaging::HandleError;
use karcis_testkit::eventually;
use uuid::Uuid;

use crate::harness::{TestApp, note};

#[tokio::test]
async fn notes_about_a_booking_arrive_in_the_order_of_their_commits() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let reader = app.reader();
    let bookings = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];

    for n in 0..200 {
        let notes: Vec<_> = bookings
            .iter()
            .flat_map(|booking| [2 * n, 2 * n + 1].map(|n| note(*booking, n)))
            .collect();
        app.send(&relay.part, &notes).await;
    }

    eventually(|| async { reader.part.seen().len() }).is(1_200).await;
    for booking in bookings {
        assert_eq!(reader.part.notes(booking), (0..400).collect::<Vec<_>>());
    }
    eventually(|| app.unsent()).is(0).await;
}

#[tokio::test]
async fn a_rolled_back_transaction_sends_nothing() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();

    let mut transaction = app.pool.begin().await.unwrap();
    relay.part.insert(&mut transaction, &[note(booking, 1)]).await.unwrap();
    transaction.rollback().await.unwrap();
    relay.part.notify();
    app.send(&relay.part, &[note(booking, 2)]).await;

    eventually(|| async { reader.part.notes(booking) }).is(vec![2]).await;
}

#[tokio::test]
async fn what_was_handled_before_an_orderly_stop_does_not_come_again() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let booking = Uuid::now_v7();

    let first = app.reader();
    app.send(&relay.part, &[note(booking, 1), note(booking, 2)]).await;
    eventually(|| async { first.part.notes(booking) }).is(vec![1, 2]).await;
    first.stop().await;
    app.send(&relay.part, &[note(booking, 3)]).await;

    let second = app.reader();
    eventually(|| async { second.part.notes(booking) }).is(vec![3]).await;
}

#[tokio::test]
async fn what_a_crashed_reader_took_but_did_not_commit_comes_again() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let booking = Uuid::now_v7();

    let (took, mut taken) = tokio::sync::mpsc::unbounded_channel();
    let crashing = app.reader_that(move |notes| {
        took.send(notes.to_vec()).unwrap();
        Err(HandleError::Unavailable("about to crash".to_owned()))
    });
    app.send(&relay.part, &[note(booking, 1)]).await;
    assert_eq!(taken.recv().await.unwrap(), [(booking, 1)]);
    crashing.crash().await;

    let next = app.reader();
    eventually(|| async { next.part.notes(booking) }).is(vec![1]).await;
}
