//! An event with many holders is moved: all are told, each once, whatever happens meanwhile.

use std::collections::HashMap;

use karcis_contracts::{BookingFact, EventCancelled, EventFact};
use karcis_kernel::{BookingId, EventId};
use karcis_testkit::eventually;
use serde_json::json;
use sqlx::{Postgres, Transaction, types::Json};
use uuid::Uuid;

use crate::{
    harness::{TestApp, concert},
    moved::{published, put_off, updated},
};

/// More than two batches.
const HOLDERS: i32 = 1_200;

/// Confirmed bookings of the event as an older release wrote them, which knows no version of it.
const OLDER_WRITER: &str = "INSERT INTO bookings.booking (id, version, stage, reason, payable, released,
        refunded, offer, tickets, attempt, wake_at, due_at, stuck, updated_at, user_id, event_id, items,
        expected_amount, expected_currency, created_at, pay_by)
    SELECT gen_random_uuid(), 5, 'confirmed', NULL, false, false,
        false, $3, '[]', 0, NULL, NULL, NULL, now(), gen_random_uuid(), $2,
        json_build_array(json_build_object('ticket_type_id', gen_random_uuid(), 'quantity', 1)),
        NULL, NULL, now(), now()
    FROM generate_series(1, $1)";

async fn holders(app: &TestApp, event: EventId, count: i32) {
    let event_of = serde_json::to_value(concert(1)).expect("JSON");
    let mut offer = json!({"items": [], "total": {"amount": 0, "currency": "IDR"},
        "refundable_until": event_of["starts_at"]});
    for name in ["title", "venue", "starts_at", "time_zone"] {
        offer[name] = event_of[name].clone();
    }
    let written = sqlx::query(OLDER_WRITER).bind(count).bind(event.0).bind(Json(offer));
    written.execute(app.environment.superuser()).await.expect("the rows can be stored");
}

/// How many of the event's holders know this version.
async fn knowing(app: &TestApp, event: EventId, version: i64) -> i64 {
    let count = "SELECT count(*) FROM bookings.booking WHERE event_id = $1 AND event_version = $2";
    let counted = sqlx::query_scalar(count).bind(event.0).bind(version);
    counted.fetch_one(app.environment.superuser()).await.expect("bookings can be counted")
}

/// Waits until so many were told, and checks that nobody was told twice of a version.
async fn told_once_each(app: &TestApp, holders: i32, versions: usize) {
    let told = || {
        let mut told: HashMap<(BookingId, Option<i64>), usize> = HashMap::new();
        for fact in app.all_facts() {
            if let BookingFact::BookingEventChanged(fact) = fact {
                *told.entry((fact.booking_id, fact.booked.event.version)).or_default() += 1;
            }
        }
        told
    };
    eventually(async || told().len()).is(holders as usize * versions).await;
    assert!(told().values().all(|times| *times == 1));
}

fn moved(event: EventId, version: i64) -> EventFact {
    updated(event, put_off(version), None)
}

#[tokio::test]
async fn hundreds_of_holders_are_told_once_each_by_two_instances() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (event, unmoved) = (EventId(Uuid::now_v7()), EventId(Uuid::now_v7()));
    holders(&app, event, HOLDERS).await;
    holders(&app, unmoved, 10).await;
    app.publishes([moved(event, 7)]).await;
    eventually(|| knowing(&app, event, 7)).is(i64::from(HOLDERS)).await;
    told_once_each(&app, HOLDERS, 1).await;
    eventually(|| app.moved_events()).is(0).await;
    assert_eq!(knowing(&app, unmoved, 1).await, 10);
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn holders_of_an_event_that_is_first_heard_of_are_told_only_if_it_looks_otherwise() {
    let app = TestApp::start().await;
    let event = EventId(Uuid::now_v7());
    holders(&app, event, 3).await;
    app.publishes([updated(event, concert(4), None)]).await;
    eventually(|| knowing(&app, event, 4)).is(3).await;
    app.publishes([moved(event, 5)]).await;
    eventually(|| knowing(&app, event, 5)).is(3).await;
    told_once_each(&app, 3, 1).await;
    app.stop().await;
}

/// Every change of bookings but the first waits for somebody who has the advisory lock 7.
const WAIT: &str = "
    CREATE FUNCTION bookings.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM bookings.booking WHERE event_version > 1) THEN
            PERFORM pg_advisory_xact_lock_shared(7);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER wait BEFORE UPDATE ON bookings.booking
        FOR EACH STATEMENT EXECUTE FUNCTION bookings.wait();";

#[tokio::test]
async fn an_instance_that_is_killed_on_the_way_leaves_nobody_out_and_tells_nobody_twice() {
    let app = TestApp::start().await;
    let event = EventId(Uuid::now_v7());
    app.publishes([published(event)]).await;
    eventually(|| app.knows(event)).is(Some(1)).await;
    holders(&app, event, HOLDERS).await;
    sqlx::raw_sql(WAIT).execute(app.environment.superuser()).await.expect("triggers can be made");
    let mut locking = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(7)");
    lock.execute(&mut *locking).await.expect("the lock is free");
    app.publishes([moved(event, 2)]).await;
    eventually(async || {
        let (told, waiting) = (knowing(&app, event, 2).await, waiting(&app).await);
        if told > 0 && waiting > 0 { Ok(()) } else { Err((told, waiting)) }
    })
    .await;
    let app = app.crashes().await;
    let told = knowing(&app, event, 2).await;
    assert!((1..i64::from(HOLDERS)).contains(&told), "{told} were told before");
    locking.rollback().await.expect("the lock is free again");
    eventually(|| knowing(&app, event, 2)).is(i64::from(HOLDERS)).await;
    told_once_each(&app, HOLDERS, 1).await;
    eventually(|| app.moved_events()).is(0).await;
    app.stop().await;
}

/// How many wait for the advisory lock.
async fn waiting(app: &TestApp) -> i64 {
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    count.fetch_one(app.environment.superuser()).await.expect("locks can be counted")
}

/// Locks one of the event's bookings.
async fn lock_one(app: &TestApp, event: EventId) -> Transaction<'static, Postgres> {
    let mut locking = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = "SELECT FROM bookings.booking WHERE id =
            (SELECT id FROM bookings.booking WHERE event_id = $1 LIMIT 1) FOR UPDATE";
    let locked = sqlx::query(lock).bind(event.0).execute(&mut *locking).await;
    assert_eq!(locked.expect("the row can be locked").rows_affected(), 1);
    locking
}

#[tokio::test]
async fn a_locked_holder_holds_up_no_other_and_no_other_event() {
    let app = TestApp::start().await;
    let [first, second] = [EventId(Uuid::now_v7()), EventId(Uuid::now_v7())];
    for event in [first, second] {
        holders(&app, event, 20).await;
    }
    let locking = lock_one(&app, first).await;
    app.publishes([moved(first, 2)]).await;
    eventually(|| knowing(&app, first, 2)).is(19).await;
    app.publishes([moved(second, 2)]).await;
    eventually(|| knowing(&app, second, 2)).is(20).await;
    // A second move is not closed with the first.
    app.publishes([updated(first, concert(3), None)]).await;
    eventually(|| knowing(&app, first, 3)).is(19).await;
    assert_eq!(app.moved_events().await, 1);
    locking.rollback().await.expect("the row is free");
    eventually(|| knowing(&app, first, 3)).is(20).await;
    eventually(|| app.moved_events()).is(0).await;
    app.stop().await;
}

#[tokio::test]
async fn a_holder_that_cannot_be_read_is_told_once_it_can_be() {
    let app = TestApp::start().await;
    let event = EventId(Uuid::now_v7());
    holders(&app, event, 3).await;
    let damage = "UPDATE bookings.booking SET stuck = 'an unknown word'
        WHERE id = (SELECT id FROM bookings.booking LIMIT 1)";
    let damaged = sqlx::query(damage).execute(app.environment.superuser()).await;
    damaged.expect("the row can be changed");
    app.publishes([moved(event, 2)]).await;
    eventually(|| knowing(&app, event, 2)).is(2).await;
    assert_eq!(app.moved_events().await, 1, "one does not know it");
    app.stop().await;
}

#[tokio::test]
async fn an_event_that_is_moved_while_its_last_holder_is_told_stays_open() {
    let app = TestApp::start().await;
    let event = EventId(Uuid::now_v7());
    holders(&app, event, 3).await;
    let pool = app.environment.superuser();
    let holder = lock_one(&app, event).await;
    app.publishes([moved(event, 2)]).await;
    eventually(|| knowing(&app, event, 2)).is(2).await;
    // As another instance does that records a move, when this one is about to close the event.
    let mut moving = pool.begin().await.expect("a transaction begins");
    let again = "UPDATE bookings.event SET version = 3, shown_version = 3, venue = 'Park', moved_at = now()";
    sqlx::query(again).execute(&mut *moving).await.expect("the row can be changed");
    holder.rollback().await.expect("the row is free");
    let closing = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE 'UPDATE event SET open%'";
    let closing = || sqlx::query_scalar::<_, i64>(closing).fetch_one(pool);
    eventually(async || closing().await.expect("it can be counted")).is(1).await;
    moving.commit().await.expect("it commits");
    eventually(|| knowing(&app, event, 3)).is(3).await;
    told_once_each(&app, 3, 2).await;
    eventually(|| app.moved_events()).is(0).await;
    app.stop().await;
}

#[tokio::test]
async fn holders_of_a_cancelled_event_hear_of_no_move() {
    let app = TestApp::start().await;
    let event = EventId(Uuid::now_v7());
    holders(&app, event, 3).await;
    let locking = lock_one(&app, event).await;
    let cancelled = EventCancelled { event_id: event, reason: "rain".to_owned() };
    app.publishes([EventFact::from(cancelled)]).await;
    eventually(|| released(&app)).is(2).await;
    app.publishes([moved(event, 2)]).await;
    eventually(|| app.knows(event)).is(Some(2)).await;
    assert_eq!(app.moved_events().await, 0);
    locking.rollback().await.expect("the row is free");
    eventually(|| released(&app)).is(3).await;
    told_once_each(&app, 0, 1).await;
    app.stop().await;
}

async fn released(app: &TestApp) -> i64 {
    let count = "SELECT count(*) FROM bookings.booking
        WHERE stage = 'releasing' AND reason = 'event_cancelled'";
    let counted = sqlx::query_scalar(count).fetch_one(app.environment.superuser());
    counted.await.expect("bookings can be counted")
}
