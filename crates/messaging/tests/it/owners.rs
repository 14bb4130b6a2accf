//! Of several instances one sends the outbox; when it is lost another takes over.

use std::time::Duration;

use karcis_messaging::Outbox;
use karcis_schemas as schemas;
use karcis_testkit::eventually;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{TestApp, note, pool_of};

/// The backend that holds the outbox's lock.
async fn owner(app: &TestApp) -> Option<i32> {
    const OWNER: &str = "
        SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let mut owners =
        sqlx::query_scalar(OWNER).fetch_all(app.environment.superuser()).await.unwrap();
    assert!(owners.len() <= 1, "one owner at a time, not {owners:?}");
    owners.pop()
}

async fn an_owner_other_than(app: &TestApp, last: Option<i32>) -> i32 {
    let look = || async { owner(app).await.filter(|pid| Some(*pid) != last).ok_or("no owner") };
    eventually(look).await
}

#[tokio::test]
async fn the_owner_sends_also_what_other_instances_wrote() {
    let app = TestApp::start().await;
    let first = app.relay();
    let owner_before = an_owner_other_than(&app, None).await;
    let second = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();

    for n in 0..50 {
        let instance = if n % 2 == 0 { &first } else { &second };
        app.send(&instance.part, &[note(booking, n)]).await;
    }

    eventually(|| async { reader.part.notes(booking) }).is((0..50).collect::<Vec<_>>()).await;
    assert_eq!(owner(&app).await, Some(owner_before));
}

#[tokio::test]
async fn another_instance_takes_over_when_the_owner_stops() {
    let app = TestApp::start().await;
    let first = app.relay();
    let owner_before = an_owner_other_than(&app, None).await;
    let second = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();

    first.stop().await;
    app.send(&second.part, &[note(booking, 0)]).await;

    eventually(|| async { reader.part.notes(booking) }).is(vec![0]).await;
    an_owner_other_than(&app, Some(owner_before)).await;
}

#[tokio::test]
async fn an_owner_that_loses_its_connection_loses_and_reorders_nothing() {
    let app = TestApp::start().await;
    let relays = [app.relay(), app.relay()];
    let reader = app.reader();
    let booking = Uuid::now_v7();
    let mut last = None;

    for round in 0..5 {
        let pid = an_owner_other_than(&app, last).await;
        for n in 0..40 {
            app.send(&relays[n % 2].part, &[note(booking, 40 * round + n)]).await;
            if n == 20 {
                let kill = sqlx::query("SELECT pg_terminate_backend($1)").bind(pid);
                kill.execute(app.environment.superuser()).await.unwrap();
            }
        }
        last = Some(pid);
    }

    let notes = || async { reader.part.first_notes(booking) };
    eventually(notes).is((0..200).collect::<Vec<_>>()).await;
    eventually(|| app.unsent()).is(0).await;
}

#[tokio::test]
async fn a_frozen_owner_loses_the_outbox() {
    let app = TestApp::start().await;
    let (frozen, thaw) = std::sync::mpsc::channel::<()>();
    let (database_url, kafka) =
        (app.environment.role_url(schemas::BOOKINGS), app.environment.kafka().clone());
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
    let owner_before = an_owner_other_than(&app, None).await;
    let second = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();

    freeze.send(()).unwrap();
    app.send(&second.part, &[note(booking, 0)]).await;

    // The server ends its session after 15 s.
    let within = Duration::from_secs(60);
    eventually(|| async { reader.part.notes(booking) }).within(within).is(vec![0]).await;
    an_owner_other_than(&app, Some(owner_before)).await;
    drop(frozen);
    instance.join().unwrap();
}
