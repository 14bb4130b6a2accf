//! Rows that cannot be read, as after going back to an older release: they are left alone, and nothing
//! waits for them.

use karcis_contracts::{EventCommand, RejectReason, TicketFact};
use karcis_kernel::{BookingId, Role};
use karcis_schemas::EVENTS;
use karcis_testkit::{Person, eventually};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::harness::{Concert, TestApp, plan, with};

/// Ways in which a hold is unreadable: damage, and words of a newer release.
const SPOILED_HOLDS: [&str; 5] = [
    "reservation = '{\"shape\": 2}'",
    "reservation = jsonb_set(reservation, '{currency}', '\"XTS\"')",
    "reservation = jsonb_set(reservation, '{time_zone}', '\"Mars/Olympus\"')",
    "state = 'queued'",
    "state = 'rejected', reason = 'a newer reason'",
];

/// The same for an event.
const SPOILED_EVENTS: [&str; 4] = [
    "event SET currency = 'XTS'",
    "event SET time_zone = 'Mars/Olympus'",
    "event SET title = ''",
    "ticket_type SET price = 9000000000000000000",
];

async fn run(app: &TestApp, sql: String) {
    let run = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(app.environment.superuser()).await;
    run.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The rows of these tables as they are stored.
async fn rows(app: &TestApp, table: &str, ids: &[Uuid]) -> Vec<Value> {
    let id = if table == "hold" { "booking_id" } else { "event_id" };
    let read =
        format!("SELECT to_jsonb({table}) FROM events.{table} WHERE {id} = ANY($1) ORDER BY {id}");
    let rows = sqlx::query_scalar(AssertSqlSafe(read)).bind(ids);
    rows.fetch_all(app.environment.superuser()).await.expect("rows can be read")
}

async fn dead_letters(app: &TestApp, wanted: usize) {
    eventually(async || app.environment.dead_letters(EVENTS).await.len()).is(wanted).await;
    for (_, error) in app.environment.dead_letters(EVENTS).await {
        assert!(error.contains("is unreadable"), "{error}");
    }
    run(app, "DELETE FROM events.dead_letter".to_owned()).await;
}

#[tokio::test]
async fn unreadable_holds_stop_no_other_command_of_their_event() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(100)).await;
    let mut bookings = vec![];
    for _ in 0..SPOILED_HOLDS.len() + 20 {
        let reserve = event.reserve(1);
        bookings.push(reserve.booking_id);
        app.ask(reserve).await;
    }
    let (bad, good) = bookings.split_at(SPOILED_HOLDS.len());
    let bad_ids: Vec<Uuid> = bad.iter().map(|booking| booking.0).collect();
    run(&app, "ALTER TABLE events.hold DROP CONSTRAINT hold_state".to_owned()).await;
    for (id, spoiled) in bad_ids.iter().zip(SPOILED_HOLDS) {
        run(&app, format!("UPDATE events.hold SET {spoiled} WHERE booking_id = '{id}'")).await;
    }
    let stored = rows(&app, "hold", &bad_ids).await;

    let mixed = bookings.iter().map(|booking| EventCommand::from(event.confirm(*booking)));
    app.send(&mixed.collect::<Vec<_>>()).await;
    for booking in good {
        let replies = app.replies(*booking, 2).await;
        assert!(matches!(replies[1], TicketFact::TicketsConfirmed(_)), "{replies:?}");
    }
    dead_letters(&app, bad.len()).await;
    assert_eq!(rows(&app, "hold", &bad_ids).await, stored);
    assert_eq!(app.stock(event.types[0]).await, (100, bad.len() as i32, 20));
    app.stop().await;
}

async fn listed(by: &Person, query: &str) -> Vec<Value> {
    let (mut ids, mut cursor) = (vec![], String::new());
    loop {
        let page = by.get(&format!("/events?limit=3{query}{cursor}")).await.is(200).body;
        let items = page["items"].as_array().expect("items").iter();
        ids.extend(items.map(|event| event["event_id"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn unreadable_events_stop_no_command_no_list_and_no_announcement_of_others() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let (mut bad, mut good): (Vec<Concert>, Vec<Concert>) = (vec![], vec![]);
    for _ in SPOILED_EVENTS {
        bad.push(app.made(&organiser, &plan(10)).await);
    }
    for _ in 0..20 {
        good.push(app.made(&organiser, &plan(10)).await);
    }
    for event in bad.iter().chain(&good) {
        app.ask(event.reserve(1)).await;
    }
    let bad_ids: Vec<Uuid> = bad.iter().map(|event| event.id.0).collect();
    for (id, spoiled) in bad_ids.iter().zip(SPOILED_EVENTS) {
        run(&app, format!("UPDATE events.{spoiled} WHERE event_id = '{id}'")).await;
    }
    let (events, types) =
        (rows(&app, "event", &bad_ids).await, rows(&app, "ticket_type", &bad_ids).await);

    let commands: Vec<_> =
        bad.iter().chain(&good).map(|event| EventCommand::from(event.reserve(1))).collect();
    app.send(&commands).await;
    for command in &commands[bad.len()..] {
        let booking = karcis_contracts::Message::correlation(command).expect("it is of a booking");
        let replies = app.replies(BookingId(booking), 1).await;
        assert!(matches!(replies[0], TicketFact::TicketsReserved(_)), "{replies:?}");
    }
    dead_letters(&app, bad.len()).await;

    let admin = app.person(Role::Admin);
    for event in &bad {
        admin.get(&format!("/events/{}", event.id)).await.is_problem(500, "internal-error");
        let cancel = with(event.named(), json!({"reason": "rain"}));
        organiser.post("/event/cancel", &cancel).await.is_problem(500, "internal-error");
    }
    let shown = listed(&admin, "").await;
    assert_eq!(shown.len(), good.len());
    assert!(good.iter().all(|event| shown.contains(&json!(event.id))));
    assert_eq!(rows(&app, "event", &bad_ids).await, events);
    assert_eq!(rows(&app, "ticket_type", &bad_ids).await, types);
    app.stop().await;
}

#[tokio::test]
async fn a_hundred_unreadable_cancelled_events_hold_up_no_announcement() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    app.ask(event.reserve(1)).await;
    let refused = app.made(&organiser, &plan(10)).await;
    app.ask(refused.reserve(1)).await;
    // More than a tick announces, all due for longer, and one that the database rejects.
    run(&app, format!(
        "INSERT INTO events.event (event_id, version, organiser_id, stage, cancel_reason, title, venue,
             starts_at, time_zone, currency, announce_at, announced)
         SELECT gen_random_uuid(), 1, gen_random_uuid(), 'cancelled', '', 'Dewa 19', 'Istora',
             now(), 'Asia/Jakarta', 'IDR', now() - interval '1 day', 1 FROM generate_series(1, 150);
         ALTER TABLE events.event ADD CONSTRAINT rejects
             CHECK (event_id <> '{}' OR announced < 2) NOT VALID", refused.id)).await;
    for event in [&refused, &event] {
        let cancel = with(event.named(), json!({"reason": "rain"}));
        organiser.post("/event/cancel", &cancel).await.is(202);
    }
    let announced = async || {
        app.facts(event.id)
            .iter()
            .filter(|fact| matches!(fact, karcis_contracts::EventFact::EventCancelled(_)))
            .count()
    };
    eventually(async || announced().await > 2).is(true).await;
    let untouched = "SELECT count(*) FROM events.event WHERE cancel_reason = '' AND announced = 1";
    let untouched: i64 = sqlx::query_scalar(untouched)
        .fetch_one(app.environment.superuser())
        .await
        .expect("events can be counted");
    assert_eq!(untouched, 150);
    app.stop().await;
}

#[tokio::test]
async fn a_rejected_reservation_of_a_newer_release_is_left_alone() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(1)).await;
    let reserve = event.reserve(2);
    let TicketFact::TicketsRejected(rejected) = app.ask(reserve.clone()).await else { panic!() };
    assert_eq!(rejected.reason, RejectReason::SoldOut);
    let newer = format!(
        "UPDATE events.hold SET reason = 'too_young' WHERE booking_id = '{}'",
        reserve.booking_id
    );
    run(&app, newer).await;
    app.send(&[reserve.into()]).await;
    dead_letters(&app, 1).await;
    app.stop().await;
}
