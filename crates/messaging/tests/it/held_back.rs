//! Messages whose rows others keep locked, and batches that are never handled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use karcis_contracts::{BookingFact, Message};
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::Progress;
use karcis_testkit::eventually;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{Judge, TestApp, note};

/// Says that others have this booking locked, while they have.
fn judge(booking: Uuid, is_locked: &Arc<AtomicBool>) -> impl Judge + use<> {
    let is_locked = is_locked.clone();
    move |notes: &[(Uuid, usize)]| {
        let is_met = is_locked.load(SeqCst) && notes.iter().any(|(about, _)| *about == booking);
        if is_met { Err(HandleError::Contended("locked".to_owned())) } else { Ok(()) }
    }
}

#[tokio::test]
async fn what_is_locked_waits_in_its_order_and_holds_up_no_other() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let (locked, free) = (Uuid::now_v7(), Uuid::now_v7());
    let is_locked = Arc::new(AtomicBool::new(true));
    let first = app.reader_that(judge(locked, &is_locked));
    let notes = [note(locked, 0), note(free, 0), note(free, 1), note(locked, 1)];
    app.send(&relay.part, &notes).await;
    eventually(|| async { first.part.notes(free) }).is(vec![0, 1]).await;
    app.send(&relay.part, &[note(locked, 2), note(free, 2)]).await;
    eventually(|| async { first.part.notes(free) }).is(vec![0, 1, 2]).await;
    assert!(first.part.notes(locked).is_empty());
    first.crash().await;

    // What was held back was not committed.
    let second = app.reader_that(judge(locked, &is_locked));
    app.send(&relay.part, &[note(free, 3)]).await;
    eventually(async || second.part.notes(free).contains(&3)).is(true).await;
    is_locked.store(false, SeqCst);
    eventually(|| async { second.part.notes(locked) }).is(vec![0, 1, 2]).await;
    second.stop().await;

    // And once it is handled it is.
    let third = app.reader();
    app.send(&relay.part, &[note(locked, 3), note(free, 4)]).await;
    eventually(|| async { third.part.notes(locked) }).is(vec![3]).await;
    third.stop().await;
    relay.stop().await;
}

/// Never ends with a batch, as if every answer were lost.
struct Hanging(Arc<AtomicUsize>);

#[async_trait]
impl Consumer for Hanging {
    type Message = BookingFact;

    fn decode(
        &self,
        _topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<BookingFact>> {
        BookingFact::decode(kind, body)
    }

    async fn handle(&self, _batch: &[Received<BookingFact>]) -> Result<(), HandleError> {
        self.0.fetch_add(1, SeqCst);
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_batch_that_takes_minutes_is_left_to_another_instance() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let (batches, progress, stopping) =
        (Arc::default(), Progress::default(), CancellationToken::new());
    let hanging = app.instance("hanging").watched_by(progress.clone()).consume(
        "reader",
        &[BookingFact::TOPIC],
        app.pool.clone(),
        Hanging(Arc::clone(&batches)),
        stopping.clone(),
    );
    let hanging = tokio::spawn(hanging);
    let bookings: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    let notes: Vec<_> = bookings.iter().map(|booking| note(*booking, 0)).collect();
    app.send(&relay.part, &notes).await;
    eventually(async || batches.load(SeqCst)).is(1).await;

    let other = app.reader_of(&app.instance("other"), |_| Ok(()));
    let limit = Duration::from_secs(180);
    eventually(async || progress.overdue()).within(limit).is(vec!["consumer"]).await;
    let unread = || async {
        bookings.iter().filter(|booking| other.part.notes(**booking).is_empty()).count()
    };
    eventually(unread).within(limit).is(0).await;
    stopping.cancel();
    hanging.await.unwrap().unwrap();
    other.stop().await;
    relay.stop().await;
}
