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

/// How a reader says that something is locked.
type Says = fn(Vec<usize>) -> Result<(), HandleError>;

/// By naming the messages: it has handled the others.
const NAMED: Says = HandleError::all_but;
/// Without: it has handled none.
const UNNAMED: Says = |_| Err(HandleError::Contended { open: None, why: "locked".to_owned() });

/// The indexes of the notes about this booking.
fn about(booking: Uuid, notes: &[(Uuid, usize)]) -> Vec<usize> {
    (0..notes.len()).filter(|at| notes[*at].0 == booking).collect()
}

/// Says that others have this booking locked, while they have.
fn judge(booking: Uuid, is_locked: &Arc<AtomicBool>, says: Says) -> impl Judge + use<> {
    let is_locked = is_locked.clone();
    move |notes: &[(Uuid, usize)]| {
        let locked = about(booking, notes);
        if is_locked.load(SeqCst) && !locked.is_empty() { says(locked) } else { Ok(()) }
    }
}

#[tokio::test]
async fn what_is_locked_waits_in_its_order_and_holds_up_no_other() {
    waits_in_its_order_and_holds_up_no_other(NAMED).await;
}

#[tokio::test]
async fn what_is_locked_and_has_to_be_found_waits_in_its_order_and_holds_up_no_other() {
    waits_in_its_order_and_holds_up_no_other(UNNAMED).await;
}

async fn waits_in_its_order_and_holds_up_no_other(says: Says) {
    let app = TestApp::start().await;
    let relay = app.relay();
    let (locked, free) = (Uuid::now_v7(), Uuid::now_v7());
    let is_locked = Arc::new(AtomicBool::new(true));
    let first = app.reader_that(judge(locked, &is_locked, says));
    let notes = [note(locked, 0), note(free, 0), note(free, 1), note(locked, 1)];
    app.send(&relay.part, &notes).await;
    eventually(|| async { first.part.notes(free) }).is(vec![0, 1]).await;
    app.send(&relay.part, &[note(locked, 2), note(free, 2)]).await;
    eventually(|| async { first.part.notes(free) }).is(vec![0, 1, 2]).await;
    assert!(first.part.notes(locked).is_empty());
    first.crash().await;

    // What was held back was not committed.
    let second = app.reader_that(judge(locked, &is_locked, says));
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

#[tokio::test]
async fn a_lock_that_is_released_while_its_messages_are_looked_for_mixes_up_no_order() {
    // The batch is met, then its first message alone.
    keeps_its_order_if_released_when_met(2, UNNAMED, None).await;
}

#[tokio::test]
async fn a_lock_that_is_released_while_poison_is_looked_for_mixes_up_no_order() {
    // The half before the poison is met.
    keeps_its_order_if_released_when_met(1, NAMED, Some(10)).await;
}

/// A batch of notes about one booking, which is locked until so many parts of it were tried. `poison` is
/// the number of one that can never be handled.
async fn keeps_its_order_if_released_when_met(times: usize, says: Says, poison: Option<usize>) {
    let app = TestApp::start().await;
    let relay = app.relay();
    let locked = Uuid::now_v7();
    app.send(&relay.part, &(0..20).map(|n| note(locked, n)).collect::<Vec<_>>()).await;
    eventually(|| app.unsent()).is(0).await;
    let (met, largest) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = largest.clone();
    let reader = app.reader_that(move |notes: &[(Uuid, usize)]| {
        seen.fetch_max(notes.len(), SeqCst);
        if notes.iter().any(|(_, n)| Some(*n) == poison) {
            return Err(HandleError::Poison("it is bad".to_owned()));
        }
        if met.fetch_add(1, SeqCst) < times { says(about(locked, notes)) } else { Ok(()) }
    });
    let rest: Vec<_> = (0..20).filter(|n| Some(*n) != poison).collect();
    eventually(|| async { reader.part.notes(locked) }).is(rest).await;
    assert_eq!(largest.load(SeqCst), 20, "they came one after another");
    reader.stop().await;
    relay.stop().await;
}

#[tokio::test]
async fn what_was_held_back_comes_again_within_the_bound_of_a_batch() {
    let app = TestApp::start().await;
    let relay = app.relay();
    let (locked, free) = (Uuid::now_v7(), Uuid::now_v7());
    let is_locked = Arc::new(AtomicBool::new(true));
    let largest = Arc::new(AtomicUsize::new(0));
    let (met, judge) = (largest.clone(), judge(locked, &is_locked, NAMED));
    let reader = app.reader_that(move |notes: &[(Uuid, usize)]| {
        met.fetch_max(notes.len(), SeqCst);
        judge(notes)
    });
    let notes = |from| (from..from + 900).map(|n| note(locked, n)).collect::<Vec<_>>();
    app.send(&relay.part, &notes(0)).await;
    eventually(async || largest.load(SeqCst)).is(900).await;
    // More than there is room for, behind them.
    app.send(&relay.part, &notes(900)).await;
    eventually(async || largest.load(SeqCst) > 900).is(true).await;
    app.send(&relay.part, &[note(free, 0)]).await;
    is_locked.store(false, SeqCst);
    eventually(async || reader.part.notes(locked).len()).is(1_800).await;
    assert_eq!(reader.part.notes(locked), (0..1_800).collect::<Vec<_>>());
    let largest = largest.load(SeqCst);
    assert!(largest <= 1_000, "{largest} came at once");
    eventually(|| async { reader.part.notes(free) }).is(vec![0]).await;
    reader.stop().await;
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
    // Where the database is away, the instance itself is well.
    let (tried, well) = (Arc::new(AtomicUsize::new(0)), Progress::default());
    let tries = Arc::clone(&tried);
    let waiting = app.instance("waiting").watched_by(well.clone());
    let waiting = app.reader_in("waiting", &waiting, move |_| {
        tries.fetch_add(1, SeqCst);
        Err(HandleError::Unavailable("the database is away".to_owned()))
    });
    let hanging = app.instance("hanging").watched_by(progress.clone()).consume(
        "reader",
        &[BookingFact::TOPIC],
        app.pool.clone(),
        Hanging(Arc::clone(&batches)),
        stopping.clone(),
    );
    let bookings: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    let notes: Vec<_> = bookings.iter().map(|booking| note(*booking, 0)).collect();
    app.send(&relay.part, &notes).await;
    eventually(async || tried.load(SeqCst) > 0).is(true).await;
    let hanging = tokio::spawn(hanging);
    eventually(async || batches.load(SeqCst)).is(1).await;

    let other = app.reader_of(&app.instance("other"), |_| Ok(()));
    let limit = Duration::from_secs(180);
    eventually(async || progress.overdue()).within(limit).is(vec!["consumer"]).await;
    assert_eq!(well.overdue(), Vec::<&str>::new());
    let unread = || async {
        bookings.iter().filter(|booking| other.part.notes(**booking).is_empty()).count()
    };
    eventually(unread).within(limit).is(0).await;
    stopping.cancel();
    hanging.await.unwrap().unwrap();
    other.stop().await;
    waiting.stop().await;
    relay.stop().await;
}
