//! Of several instances one sends the outbox; when it is lost another takes over.

use std::time::Duration;

use karcis_messaging::Outbox;
use karcis_schemas as schemas;
use karcis_testkit::eventually;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{TestApp, note, pool_of};

/// An app whose database writes down which sessions delete what they sent, and whether they own the
/// outbox at that moment: Postgres would let anybody delete.
async fn watched() -> TestApp {
    let app = TestApp::start().await;
    let trigger = "
        CREATE TABLE bookings.sender (n serial, pid integer, owns boolean);
        CREATE FUNCTION bookings.watch() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO bookings.sender (pid, owns)
            SELECT pg_backend_pid(), EXISTS (
                SELECT FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid())
            WHERE EXISTS (SELECT FROM gone);
            RETURN NULL;
        END $$;
        CREATE TRIGGER watch AFTER DELETE ON bookings.outbox
            REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION bookings.watch();";
    sqlx::raw_sql(trigger).execute(app.environment.superuser()).await.unwrap();
    app
}

/// The sessions that have sent, in their order, each once in a row; all owned the outbox.
async fn senders(app: &TestApp) -> Vec<i32> {
    let read = "SELECT pid, owns FROM bookings.sender ORDER BY n";
    let senders: Vec<(i32, bool)> =
        sqlx::query_as(read).fetch_all(app.environment.superuser()).await.unwrap();
    assert!(senders.iter().all(|(_, owns)| *owns), "somebody else sends: {senders:?}");
    let mut pids: Vec<i32> = senders.into_iter().map(|(pid, _)| pid).collect();
    pids.dedup();
    pids
}

/// The session that holds the outbox's lock.
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
    let app = watched().await;
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
    eventually(|| app.unsent()).is(0).await;
    assert_eq!(senders(&app).await, [owner_before]);
    assert_eq!(owner(&app).await, Some(owner_before));
}

#[tokio::test]
async fn another_instance_takes_over_when_the_owner_stops() {
    let app = watched().await;
    let first = app.relay();
    let owner_before = an_owner_other_than(&app, None).await;
    let second = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();

    first.stop().await;
    app.send(&second.part, &[note(booking, 0)]).await;

    eventually(|| async { reader.part.notes(booking) }).is(vec![0]).await;
    eventually(|| app.unsent()).is(0).await;
    let owner_now = an_owner_other_than(&app, Some(owner_before)).await;
    assert_eq!(senders(&app).await, [owner_now]);
}

#[tokio::test]
async fn an_owner_that_loses_its_connection_loses_and_reorders_nothing() {
    let app = watched().await;
    let relays = [app.relay(), app.relay()];
    let reader = app.reader();
    let booking = Uuid::now_v7();
    let mut owners = Vec::new();

    for round in 0..5 {
        let pid = an_owner_other_than(&app, owners.last().copied()).await;
        for n in 0..40 {
            app.send(&relays[n % 2].part, &[note(booking, 40 * round + n)]).await;
            if n == 20 {
                // It has sent in this round: what it has not deleted yet is sent again.
                eventually(async || senders(&app).await.last() == Some(&pid)).is(true).await;
                let kill = sqlx::query_scalar("SELECT pg_terminate_backend($1)").bind(pid);
                let was_there: Result<bool, _> = kill.fetch_one(app.environment.superuser()).await;
                assert!(was_there.unwrap(), "{pid} was gone before");
            }
        }
        owners.push(pid);
    }

    let notes = || async { reader.part.first_notes(booking) };
    eventually(notes).is((0..200).collect::<Vec<_>>()).await;
    eventually(|| app.unsent()).is(0).await;
    assert_eq!(senders(&app).await[..owners.len()], owners);
    // Each lost connection repeats what was under way at most, and no note twice.
    for n in 0..200 {
        let times = reader.part.notes(booking).iter().filter(|it| **it == n).count();
        assert!(times <= 2, "note {n} came {times} times");
    }
}

#[tokio::test]
async fn a_frozen_owner_loses_the_outbox_and_sends_nothing_when_it_thaws() {
    let app = watched().await;
    let (thaw, frozen) = std::sync::mpsc::channel::<()>();
    let (database_url, kafka) =
        (app.environment.role_url(schemas::BOOKINGS), app.environment.kafka().clone());
    let (freeze, freezing) = tokio::sync::oneshot::channel::<()>();
    let stopping = CancellationToken::new();
    let stop = stopping.clone();
    // Its one thread stands still from `freeze` to `thaw`.
    let instance = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // Its own pool: a connection it opened answers nobody while its thread stands still.
            let outbox = Outbox::new(pool_of(database_url).await, "booking-service");
            let freezing = async {
                freezing.await.unwrap();
                frozen.recv().unwrap();
            };
            let (relayed, ()) = tokio::join!(outbox.relay(kafka, stop), freezing);
            relayed.unwrap();
        });
    });
    let owner_before = an_owner_other_than(&app, None).await;
    let second = app.relay();
    let reader = app.reader();
    let booking = Uuid::now_v7();
    app.send(&second.part, &[note(booking, 0)]).await;
    eventually(|| async { senders(&app).await }).is(vec![owner_before]).await;

    freeze.send(()).unwrap();
    app.send(&second.part, &[note(booking, 1)]).await;
    // The server ends its session after 5 s.
    let within = Duration::from_secs(60);
    eventually(|| async { reader.part.notes(booking) }).within(within).is(vec![0, 1]).await;
    let owner_now = an_owner_other_than(&app, Some(owner_before)).await;
    thaw.send(()).unwrap();
    for n in 2..50 {
        app.send(&second.part, &[note(booking, n)]).await;
    }

    let notes = || async { reader.part.notes(booking) };
    eventually(notes).is((0..50).collect::<Vec<_>>()).await;
    eventually(|| app.unsent()).is(0).await;
    assert_eq!(senders(&app).await, [owner_before, owner_now]);
    // It waits for the outbox like any other instance.
    let outbox = second.part.clone();
    second.stop().await;
    app.send(&outbox, &[note(booking, 50)]).await;
    eventually(notes).is((0..=50).collect::<Vec<_>>()).await;
    stopping.cancel();
    instance.join().unwrap();
}
