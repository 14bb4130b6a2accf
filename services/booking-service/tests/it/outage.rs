//! Kafka is away: what is still accepted, and what is not.

use std::time::Duration;

use karcis_kernel::{EventId, TicketTypeId};
use karcis_schemas::BOOKINGS;
use karcis_testkit::{Broker, TestEnvironment, eventually};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{TestApp, order};

#[tokio::test]
async fn without_kafka_bookings_are_taken_until_too_much_waits_and_cancels_always() {
    let mut broker = Broker::start().await;
    let environment = TestEnvironment::on_kafka(broker.bootstrap_servers()).await;
    let app = TestApp::start_on(environment, &["--resend-after", "10m"]).await;
    let buyer = app.buyer();
    broker.stop().await;
    let booking = buyer.books().await;
    assert_eq!(buyer.status(booking).await, "pending");

    let pile_up = "INSERT INTO bookings.outbox (topic, key, kind, body)
        SELECT 'karcis.users.v1', gen_random_uuid(), 'karcis.Nothing.v1', '{}'
        FROM generate_series(1, 10001)";
    sqlx::query(pile_up).execute(app.environment.superuser()).await.expect("rows can be stored");
    let create = || async {
        let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
        buyer.post("/booking/create", &order).await
    };
    let status = || async { create().await.status };
    eventually(status).is(StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(create().await.headers.contains_key("retry-after"));
    buyer.cancels(booking).await.is(202);

    let outbox = "/ops/booking/outbox";
    buyer.get(outbox).await.is_problem(403, "wrong-role");
    let waiting = app.operator().get(outbox).await.is(200).body;
    let [first, .., last] = &waiting["items"].as_array().expect("a list")[..] else {
        panic!("several topics wait: {waiting}")
    };
    assert_eq!([&last["topic"], &last["messages"]], [&json!("karcis.users.v1"), &json!(10_001)]);
    let age = |topic: &Value| topic["oldest_age_s"].as_i64().expect("a number");
    assert!(age(first) >= age(last), "what has waited longest is first: {waiting}");

    broker.start_again().await;
    app.receives(booking, "ReserveTickets").await;
    app.receives(booking, "ReleaseTickets").await;
    eventually(status).is(StatusCode::ACCEPTED).await;
    let waits = async || app.operator().get(outbox).await.is(200).body["items"].clone();
    eventually(waits).is(json!([])).await;
    app.stop().await;
}

/// Each of the two kinds of bulk work.
const BULK: i64 = 2_000;
/// A tenth of the messages at which bookings are refused, and a last step of the other kind.
const BULK_MESSAGES: i64 = 1_000 + 333;

#[tokio::test]
async fn without_kafka_bulk_work_leaves_the_outbox_room_for_bookings() {
    let mut broker = Broker::start().await;
    let environment = TestEnvironment::on_kafka(broker.bootstrap_servers()).await;
    let app = TestApp::start_on(environment, &["--resend-after", "10m"]).await;
    let buyer = app.buyer();
    let called_off = EventId(Uuid::now_v7());
    for event in [called_off, EventId(Uuid::now_v7())] {
        let booking = buyer.books_for(event).await;
        app.receives(booking, "ReserveTickets").await;
        let copies = "
            CREATE TEMPORARY TABLE copy ON COMMIT DROP AS
                SELECT * FROM bookings.booking, generate_series(1, $2) WHERE id = $1";
        let mut transaction = app.environment.superuser().begin().await.expect("it answers");
        let copy = sqlx::query(copies).bind(booking.id.0).bind(BULK as i32);
        copy.execute(&mut *transaction).await.expect("rows can be copied");
        let insert = "
            UPDATE copy SET id = gen_random_uuid();
            ALTER TABLE copy DROP COLUMN generate_series;
            INSERT INTO bookings.booking SELECT * FROM copy";
        sqlx::raw_sql(insert).execute(&mut *transaction).await.expect("rows can be stored");
        transaction.commit().await.expect("it commits");
    }
    eventually(|| app.environment.unsent(BOOKINGS)).is(0).await;
    broker.stop().await;

    // A whole event is called off, and all other bookings are overdue.
    let superuser = app.environment.superuser();
    let call_off = "INSERT INTO bookings.cancelled_event VALUES ($1, now(), true)";
    let call_off = sqlx::query(call_off).bind(called_off.0);
    call_off.execute(superuser).await.expect("it can be stored");
    let overdue = "UPDATE bookings.booking SET due_at = now() WHERE event_id <> $1";
    let overdue = sqlx::query(overdue).bind(called_off.0);
    overdue.execute(superuser).await.expect("it can be stored");

    let undone = async || -> i64 {
        let count = "SELECT count(*) FROM bookings.booking WHERE stage = 'releasing'";
        sqlx::query_scalar(count).fetch_one(superuser).await.expect("bookings can be counted")
    };
    eventually(async || undone().await > 0).is(true).await;
    // By then it has measured several times that the outbox is full.
    let oldest = async || -> bool {
        let oldest = "SELECT now() - min(created_at) > '8 s' FROM bookings.outbox";
        sqlx::query_scalar(oldest).fetch_one(superuser).await.expect("the outbox can be read")
    };
    eventually(oldest).is(true).await;
    let waiting = app.environment.unsent(BOOKINGS).await;
    assert!(waiting <= BULK_MESSAGES, "bulk work has added {waiting} messages");
    assert!(undone().await < 2 * BULK, "and is not done");
    buyer.books().await;

    broker.start_again().await;
    eventually(undone).within(Duration::from_secs(180)).is(2 * BULK + 2).await;
    app.stop().await;
}
