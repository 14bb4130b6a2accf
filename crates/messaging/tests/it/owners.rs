//! Of several instances one sends the outbox; when it is lost another takes over.

use std::time::Duration;

use karcis_messaging::Outbox;
use karcis_schemas as schemas;
use karcis_testkit::eventually;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::desk::{Desk, note, pool_of};

/// The backend that holds the outbox's lock.
async fn owner(desk: &Desk) -> Option<i32> {
    const OWNER: &str = "
        SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let mut owners = sqlx::query_scalar(OWNER).fetch_all(desk.bed.superuser()).await.unwrap();
    assert!(owners.len() <= 1, "one owner at a time, not {owners:?}");
    owners.pop()
}

async fn an_owner_other_than(desk: &Desk, last: Option<i32>) -> i32 {
    let look = || async { owner(desk).await.filter(|pid| Some(*pid) != last).ok_or("no owner") };
    eventually(look).await
}

#[tokio::test]
async fn the_owner_sends_also_what_other_instances_wrote() {
    let desk = Desk::open().await;
    let first = desk.relay();
    let owner_before = an_owner_other_than(&desk, None).await;
    let second = desk.relay();
    let reader = desk.reader();
    let booking = Uuid::now_v7();

    for n in 0..50 {
        let instance = if n % 2 == 0 { &first } else { &second };
        desk.send(&instance.part, &[note(booking, n)]).await;
    }

    eventually(|| async { reader.part.notes(booking) }).is((0..50).collect::<Vec<_>>()).await;
    assert_eq!(owner(&desk).await, Some(owner_before));
}

#[tokio::test]
async fn another_instance_takes_over_when_the_owner_stops() {
    let desk = Desk::open().await;
    let first = desk.relay();
    let owner_before = an_owner_other_than(&desk, None).await;
    let second = desk.relay();
    let reader = desk.reader();
    let booking = Uuid::now_v7();

    first.stop().await;
    desk.send(&second.part, &[note(booking, 0)]).await;

    eventually(|| async { reader.part.notes(booking) }).is(vec![0]).await;
    an_owner_other_than(&desk, Some(owner_before)).await;
}

#[tokio::test]
async fn an_owner_that_loses_its_connection_loses_and_reorders_nothing() {
    let desk = Desk::open().await;
    let relays = [desk.relay(), desk.relay()];
    let reader = desk.reader();
    let booking = Uuid::now_v7();
    let mut last = None;

    for round in 0..5 {
        let pid = an_owner_other_than(&desk, last).await;
        for n in 0..40 {
            desk.send(&relays[n % 2].part, &[note(booking, 40 * round + n)]).await;
            if n == 20 {
                let kill = sqlx::query("SELECT pg_terminate_backend($1)").bind(pid);
                kill.execute(desk.bed.superuser()).await.unwrap();
            }
        }
        last = Some(pid);
    }

    let notes = || async { reader.part.first_notes(booking) };
    eventually(notes).is((0..200).collect::<Vec<_>>()).await;
    eventually(|| desk.unsent()).is(0).await;
}

#[tokio::test]
async fn a_frozen_owner_loses_the_outbox() {
    let desk = Desk::open().await;
    let (frozen, thaw) = std::sync::mpsc::channel::<()>();
    let (database_url, kafka) = (desk.bed.role_url(schemas::BOOKINGS), desk.bed.kafka().clone());
    let (freeze, mut freezing) = tokio::sync::oneshot::channel::<()>();
    // Its one thread stands still from `freeze` on.
    let instance = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // Its own pool: a connection it opened answers nobody while its thread stands still.
            let outbox = Outbox::new(pool_of(database_url).await, "booking-service");
            tokio::select! {
                _ = outbox.relay(kafka, CancellationToken::new()) => unreachable!(),
                _ = &mut freezing => {
                    let _ = thaw.recv();
                }
            }
        });
    });
    let owner_before = an_owner_other_than(&desk, None).await;
    let second = desk.relay();
    let reader = desk.reader();
    let booking = Uuid::now_v7();

    freeze.send(()).unwrap();
    desk.send(&second.part, &[note(booking, 0)]).await;

    // The server ends its session after 15 s.
    let within = Duration::from_secs(60);
    eventually(|| async { reader.part.notes(booking) }).within(within).is(vec![0]).await;
    an_owner_other_than(&desk, Some(owner_before)).await;
    drop(frozen);
    instance.join().unwrap();
}
