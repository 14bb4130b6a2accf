//! Rows that cannot be read, as after going back to an older release: they are left alone, and nothing
//! waits for them.

use karcis_contracts::{EventCancelled, EventFact};
use karcis_kernel::EventId;
use karcis_schemas::BOOKINGS;
use karcis_testkit::{Answer, eventually};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::harness::{Booked, Buyer, TestApp, payment_cancelled, requested, reserved};

/// Ways in which a row is unreadable: damage, and words of a newer release.
const SPOILED: [&str; 8] = [
    "stuck = 'a newer word'",
    "stage = 'waitlisted', due_at = NULL",
    "stage = 'cancelling', reason = 'a newer cause', due_at = NULL",
    "expected_amount = 1, expected_currency = 'XTS'",
    "offer = jsonb_set(offer::jsonb, '{total,currency}', '\"XTS\"')::json",
    "offer = '{\"shape\": 2}'",
    "items = '{\"damaged\": true}'",
    "items = '[]'",
];

/// So many bookings of the event that wait for their payment.
async fn payable(app: &TestApp, buyer: &Buyer, event_id: EventId, count: usize) -> Vec<Booked> {
    let mut bookings = vec![];
    for _ in 0..count {
        bookings.push(buyer.books_for(event_id).await);
    }
    app.publishes(bookings.iter().map(|booking| reserved(*booking, 500, 60))).await;
    for booking in &bookings {
        app.receives(*booking, "RequestPayment").await;
    }
    app.publishes(bookings.iter().map(|booking| requested(*booking))).await;
    for booking in &bookings {
        buyer.waits_for(*booking, "awaiting_payment").await;
    }
    bookings
}

async fn spoil(app: &TestApp, bookings: &[Booked]) {
    let superuser = app.environment.superuser();
    // A newer release has a newer constraint.
    let widen = "ALTER TABLE bookings.booking DROP CONSTRAINT booking_stage";
    sqlx::query(widen).execute(superuser).await.expect("the constraint is there");
    for (booking, spoiled) in bookings.iter().zip(SPOILED) {
        let spoil = AssertSqlSafe(format!("UPDATE bookings.booking SET {spoiled} WHERE id = $1"));
        let spoiling = sqlx::query(spoil).bind(booking.id.0).execute(superuser).await;
        spoiling.unwrap_or_else(|error| panic!("{spoiled}: {error}"));
    }
}

/// The bookings' rows as they are stored; a claim changes nothing of a booking.
async fn rows(app: &TestApp, bookings: &[Booked]) -> Vec<Value> {
    let read = "SELECT to_jsonb(booking) FROM bookings.booking
        WHERE id = ANY($1) ORDER BY id";
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id.0).collect();
    let rows = sqlx::query_scalar(read).bind(ids).fetch_all(app.environment.superuser()).await;
    rows.expect("rows can be read")
}

/// All deadlines end at once.
async fn deadlines_end(app: &TestApp) {
    let end = "UPDATE bookings.booking SET wake_at = now() - interval '1 s',
        due_at = CASE WHEN due_at IS NOT NULL THEN now() - interval '1 s' END";
    sqlx::query(end).execute(app.environment.superuser()).await.expect("deadlines can be moved");
}

/// The buyer's bookings, page by page.
async fn listed(buyer: &Buyer) -> usize {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page = buyer.get(&format!("/bookings?limit=5{cursor}")).await.is(200).body;
        count += page["items"].as_array().expect("items").len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return count,
        }
    }
}

async fn counted(app: &TestApp) -> u64 {
    let metrics = app.visitor.get("/metrics").await.is(200).body;
    let lines = metrics.as_str().expect("metrics are text").lines();
    let counts = lines.filter(|line| line.starts_with("karcis_unreadable_rows_total"));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[tokio::test]
async fn unreadable_bookings_are_left_alone_and_stop_nothing() {
    let app = TestApp::start().await;
    let (buyer, event_id) = (app.buyer(), EventId(Uuid::now_v7()));
    let bookings = payable(&app, &buyer, event_id, SPOILED.len() + 20).await;
    let (bad, good) = bookings.split_at(SPOILED.len());
    spoil(&app, bad).await;
    deadlines_end(&app).await;
    let stored = rows(&app, bad).await;
    assert_eq!(stored.len(), bad.len());

    for booking in good {
        app.receives(*booking, "CancelPayment").await;
    }
    for booking in bad {
        let path = format!("/bookings/{}", booking.id);
        buyer.get(&path).await.is_problem(500, "internal-error");
        buyer.get(&format!("{path}/timeline")).await.is_problem(500, "internal-error");
        buyer.cancels(*booking).await.is_problem(500, "internal-error");
    }
    assert_eq!(listed(&buyer).await, good.len());

    app.publishes([EventFact::from(EventCancelled { event_id, reason: "rain".to_owned() })]).await;
    for booking in good {
        let reason = async || buyer.sees(*booking).await["reason"].clone();
        eventually(reason).is(json!("event_cancelled")).await;
    }
    assert_eq!(rows(&app, bad).await, stored);
    assert!(counted(&app).await > 0);

    // Sent again, as its sender does until it is answered, a message is one dead letter all the same.
    let dead = "SELECT count(*) FROM bookings.dead_letter";
    let again = "SELECT count(*) FROM bookings.dead_letter WHERE last_seen_at > first_seen_at";
    for dead_letters in [dead, again] {
        app.publishes(
            bad.iter()
                .zip(good)
                .flat_map(|(bad, good)| [payment_cancelled(*bad), payment_cancelled(*good)]),
        )
        .await;
        app.publishes(good.iter().map(|booking| payment_cancelled(*booking))).await;
        for booking in good {
            app.receives(*booking, "ReleaseTickets").await;
        }
        let count = async || {
            let count = sqlx::query_scalar::<_, i64>(dead_letters);
            count.fetch_one(app.environment.superuser()).await.expect("they can be counted")
        };
        eventually(count).is(bad.len() as i64).await;
    }
    assert_eq!(app.environment.dead_letters(BOOKINGS).await.len(), bad.len());
    for (_, error) in app.environment.dead_letters(BOOKINGS).await {
        assert!(error.contains("is unreadable"), "{error}");
    }
    assert_eq!(rows(&app, bad).await, stored);
    let clear = "DELETE FROM bookings.dead_letter";
    sqlx::query(clear).execute(app.environment.superuser()).await.expect("they can be deleted");
    app.stop().await;
}

#[tokio::test]
async fn a_repeated_create_whose_booking_is_unreadable_fails_alone() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let order =
        crate::harness::order(EventId(Uuid::now_v7()), karcis_kernel::TicketTypeId(Uuid::now_v7()));
    let create = async || {
        let request = buyer.request(reqwest::Method::POST, "/booking/create");
        Answer::to(request.header("idempotency-key", "one").json(&order)).await
    };
    create().await.is(202);
    let spoil = "UPDATE bookings.booking SET stuck = 'a newer word'";
    sqlx::query(spoil).execute(app.environment.superuser()).await.expect("the row can be spoiled");
    create().await.is_problem(500, "internal-error");
    buyer.books().await;
    app.stop().await;
}
