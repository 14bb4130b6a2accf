//! A row that somebody keeps locked: the others go on, and that one is done later.

use karcis_contracts::{EventCancelled, EventFact, UserErased, UserFact};
use karcis_kernel::{EventId, TicketTypeId};
use karcis_testkit::{Answer, eventually, together};
use reqwest::Method;
use serde_json::json;
use sqlx::{Postgres, Transaction};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};
use uuid::Uuid;

use crate::harness::{Booked, Buyer, TestApp, order, paid};

/// How long the others may take.
const A_MOMENT: Duration = Duration::from_secs(10);

async fn lock(app: &TestApp, booking: Booked) -> Transaction<'static, Postgres> {
    let mut locking = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = "SELECT FROM bookings.booking WHERE id = $1 FOR UPDATE";
    let locked = sqlx::query(lock).bind(booking.id.0).execute(&mut *locking).await;
    assert_eq!(locked.expect("the row can be locked").rows_affected(), 1);
    locking
}

/// How many of these bookings are in this stage.
async fn count(app: &TestApp, bookings: &[Booked], stage: &str) -> i64 {
    let count = "SELECT count(*) FROM bookings.booking WHERE id = ANY($1) AND stage = $2";
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id.0).collect();
    let counting = sqlx::query_scalar(count).bind(ids).bind(stage);
    counting.fetch_one(app.environment.superuser()).await.expect("bookings can be counted")
}

async fn book(buyer: &Buyer, event: EventId) -> Vec<Booked> {
    together(21, (0..21).map(|_| buyer.books_for(event))).await
}

#[tokio::test]
async fn a_locked_booking_holds_up_no_reply_of_others() {
    let app = TestApp::start().await;
    let bookings = book(&app.buyer(), EventId(Uuid::now_v7())).await;
    for booking in &bookings {
        app.makes_payable(*booking).await;
    }
    eventually(|| count(&app, &bookings, "awaiting")).is(21).await;
    let locking = lock(&app, bookings[0]).await;
    let since = Instant::now();
    app.publishes(bookings.iter().map(|booking| paid(*booking))).await;
    eventually(|| count(&app, &bookings, "confirming")).is(20).await;
    // What comes behind goes on as well, though the consumer has met the lock.
    assert!(since.elapsed() < A_MOMENT, "it took {:?}", since.elapsed());
    let later = app.buyer().books().await;
    app.makes_payable(later).await;
    app.publishes([paid(later)]).await;
    app.receives(later, "ConfirmTickets").await;
    assert_eq!(count(&app, &bookings[..1], "awaiting").await, 1);
    locking.rollback().await.expect("the row is free");
    app.receives(bookings[0], "ConfirmTickets").await;
    app.stop().await;
}

#[tokio::test]
async fn a_locked_booking_of_an_erased_person_is_cancelled_later() {
    let app = TestApp::start().await;
    let (gone, stays) = (app.buyer(), app.buyer());
    let bookings = book(&gone, EventId(Uuid::now_v7())).await;
    let locking = lock(&app, bookings[0]).await;
    app.publishes([UserFact::from(UserErased { user_id: gone.user_id })]).await;
    eventually(|| count(&app, &bookings, "releasing")).is(20).await;
    let other = stays.books().await;
    app.makes_payable(other).await;
    assert_eq!(count(&app, &bookings, "releasing").await, 20);
    locking.rollback().await.expect("the row is free");
    eventually(|| count(&app, &bookings, "releasing")).is(21).await;
    app.stop().await;
}

#[tokio::test]
async fn a_locked_booking_holds_up_no_deadline_of_others() {
    let app = TestApp::start_with(&["--payment-window", "5s", "--resend-after", "10m"]).await;
    let bookings = book(&app.buyer(), EventId(Uuid::now_v7())).await;
    let locking = lock(&app, bookings[0]).await;
    eventually(|| count(&app, &bookings, "releasing")).is(20).await;
    let lateness = "SELECT max(EXTRACT(EPOCH FROM updated_at - pay_by))::float8
        FROM bookings.booking WHERE stage = 'releasing'";
    let lateness = sqlx::query_scalar(lateness).fetch_one(app.environment.superuser()).await;
    let lateness: f64 = lateness.expect("times can be read");
    assert!(lateness < A_MOMENT.as_secs_f64(), "late by {lateness} s");
    locking.rollback().await.expect("the row is free");
    app.receives(bookings[0], "ReleaseTickets").await;
    app.stop().await;
}

#[tokio::test]
async fn a_locked_booking_holds_up_no_other_of_its_cancelled_event_and_no_other_event() {
    let app = TestApp::start().await;
    let events = [EventId(Uuid::now_v7()), EventId(Uuid::now_v7())];
    let buyer = app.buyer();
    let [first, second] = [book(&buyer, events[0]).await, book(&buyer, events[1]).await];
    let locking = lock(&app, first[0]).await;
    let since = Instant::now();
    let cancelled = events
        .map(|event_id| EventFact::from(EventCancelled { event_id, reason: "rain".to_owned() }));
    app.publishes(cancelled[..1].iter().cloned()).await;
    eventually(|| open_events(&app)).is(1).await;
    app.publishes(cancelled[1..].iter().cloned()).await;
    eventually(|| count(&app, &first, "releasing")).is(20).await;
    eventually(|| count(&app, &second, "releasing")).is(21).await;
    assert!(since.elapsed() < A_MOMENT, "it took {:?}", since.elapsed());
    assert_eq!(count(&app, &first[..1], "reserving").await, 1);
    locking.rollback().await.expect("the row is free");
    app.receives(first[0], "ReleaseTickets").await;
    eventually(|| open_events(&app)).is(0).await;
    app.stop().await;
}

/// How many cancelled events may have bookings that are to be cancelled.
async fn open_events(app: &TestApp) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM bookings.cancelled_event WHERE open");
    count.fetch_one(app.environment.superuser()).await.expect("events can be counted")
}

#[tokio::test]
async fn a_locked_booking_and_a_locked_key_hold_up_no_request_of_others() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let bookings = book(&buyer, EventId(Uuid::now_v7())).await;
    let mut locking = lock(&app, bookings[0]).await;
    // A key that another instance is about to store.
    let insert = "INSERT INTO bookings.idempotency_key
            (user_id, key, fingerprint, booking_id, created_at)
        VALUES ($1, 'locked', '', gen_random_uuid(), now())";
    let inserted = sqlx::query(insert).bind(buyer.user_id.0).execute(&mut *locking).await;
    inserted.expect("the key can be stored");
    let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    let create = |key: &str| {
        let request = buyer.request(Method::POST, "/booking/create");
        Answer::to(request.header("idempotency-key", key).json(&order))
    };
    let cancel = |booking: &Booked| {
        let request = buyer.request(Method::POST, "/booking/cancel");
        Answer::to(request.json(&json!({"booking_id": booking.id})))
    };
    let mut waiting = JoinSet::new();
    waiting.spawn(cancel(&bookings[0]));
    waiting.spawn(create("locked"));
    let mut others = JoinSet::new();
    let since = Instant::now();
    for (number, booking) in bookings[1..].iter().enumerate() {
        others.spawn(cancel(booking));
        others.spawn(create(&format!("free-{number}")));
    }
    for answer in others.join_all().await {
        answer.is(202);
    }
    assert!(since.elapsed() < A_MOMENT, "it took {:?}", since.elapsed());
    assert_eq!(count(&app, &bookings[..1], "reserving").await, 1);
    locking.rollback().await.expect("the rows are free");
    waiting.join_all().await;
    eventually(async || {
        let statuses = [cancel(&bookings[0]).await.status, create("locked").await.status];
        if statuses.iter().all(|status| status.as_u16() == 202) { Ok(()) } else { Err(statuses) }
    })
    .await;
    app.stop().await;
}

#[tokio::test]
async fn a_stampede_of_creates_delays_no_reply() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let paying = buyer.books().await;
    app.makes_payable(paying).await;
    buyer.waits_for(paying, "awaiting_payment").await;
    // Each create with a key waits for this.
    let mut locking = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = sqlx::query("LOCK TABLE bookings.idempotency_key IN ACCESS EXCLUSIVE MODE");
    lock.execute(&mut *locking).await.expect("the table can be locked");
    let mut creates = JoinSet::new();
    for number in 0..500 {
        let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
        let request = buyer.request(Method::POST, "/booking/create");
        let request = request.header("idempotency-key", number.to_string());
        creates.spawn(Answer::to(request.json(&order)));
    }
    let waiting = async || {
        let count = "SELECT count(*) FROM pg_locks
            WHERE relation = 'bookings.idempotency_key'::regclass AND NOT granted";
        let counted = sqlx::query_scalar::<_, i64>(count);
        let waiting = counted.fetch_one(app.environment.superuser()).await;
        if waiting.expect("locks can be counted") > 0 { Ok(()) } else { Err("nobody waits") }
    };
    eventually(waiting).await;
    let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    let request = buyer.request(Method::POST, "/booking/create");
    let behind = tokio::spawn(Answer::to(request.json(&order)));

    let since = Instant::now();
    app.publishes([paid(paying)]).await;
    app.receives(paying, "ConfirmTickets").await;
    assert!(since.elapsed() < A_MOMENT, "it took {:?}", since.elapsed());
    assert!(!behind.is_finished(), "the requests' lane was not blocked");
    locking.rollback().await.expect("the table is free");
    creates.join_all().await;
    behind.await.expect("it is answered");
    app.stop().await;
}
