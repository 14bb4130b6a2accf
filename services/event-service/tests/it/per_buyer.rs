//! How much of an event one buyer may have, whatever he had before.

use karcis_contracts::{EventCommand, Message, RejectReason, ReserveTickets, TicketFact};
use karcis_event_service::run;
use karcis_kernel::UserId;
use karcis_schemas::{BOOKINGS, EVENT};
use karcis_testkit::{RunningService, TokenMint, eventually};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    harness::{Concert, TestApp, plan, with},
    racing::conflicts,
};

/// An event with so many seats, of which one buyer may have so many.
async fn limited(app: &TestApp, seats: u32, per_buyer: u32) -> Concert {
    app.made(&app.organiser(), &with(plan(seats), json!({"max_per_buyer": per_buyer}))).await
}

fn by(buyer: UserId, request: ReserveTickets) -> ReserveTickets {
    ReserveTickets { user_id: buyer, ..request }
}

fn is_reserved(fact: &TicketFact) -> bool {
    match fact {
        TicketFact::TicketsReserved(_) => true,
        TicketFact::TicketsRejected(rejected) => {
            assert_eq!(rejected.reason, RejectReason::OverLimit);
            false
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_limit_is_given_changed_and_taken_away_by_the_organiser() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &with(plan(10), json!({"max_per_buyer": 4}))).await;
    assert_eq!(event.body["max_per_buyer"], 4);
    let seen = async || {
        let event = app.visitor().get(&format!("/events/{}", event.id)).await.is(200).body;
        let listed = app.visitor().get("/events").await.is(200).body;
        assert_eq!(listed["items"][0]["max_per_buyer"], event["max_per_buyer"]);
        event["max_per_buyer"].clone()
    };
    assert_eq!(seen().await, 4);
    for (change, shown) in [
        (json!({"max_per_buyer": 2}), json!(2)),
        (json!({"title": "Dewa 20"}), json!(2)),
        (json!({"max_per_buyer": null}), Value::Null),
    ] {
        let update = with(event.named(), change);
        let answer = organiser.post("/event/update", &update).await.is(200).body;
        assert_eq!(answer["max_per_buyer"], shown);
        assert_eq!(seen().await, shown);
    }
    app.stop().await;
}

#[tokio::test]
async fn held_and_sold_seats_count_free_ones_too_and_released_ones_do_not() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let free = json!([{
        "name": "Seat", "price": {"amount": 0, "currency": "IDR"}, "capacity": 100,
    }]);
    let changes = json!({"max_per_buyer": 4, "ticket_types": free});
    let event = app.made(&organiser, &with(plan(1), changes)).await;
    let first = event.reserve(3);
    let buyer = first.user_id;
    let asks = async |seats: u32| is_reserved(&app.ask(by(buyer, event.reserve(seats))).await);

    assert!(is_reserved(&app.ask(first.clone()).await));
    assert!(!asks(2).await, "three are held");
    app.ask(event.confirm(first.booking_id)).await;
    assert!(!asks(2).await, "three are sold");
    assert!(asks(1).await, "four are allowed");
    assert!(!asks(1).await);
    assert!(is_reserved(&app.ask(event.reserve(4)).await), "another buyer has a limit of his own");
    app.ask(event.release(first.booking_id)).await;
    assert!(asks(3).await, "three are released");

    let other = UserId(Uuid::now_v7());
    let batch: Vec<_> = (0..3).map(|_| by(other, event.reserve(2))).collect();
    app.send(&batch.iter().cloned().map(Into::into).collect::<Vec<_>>()).await;
    let mut reserved = 0;
    for request in &batch {
        reserved += u32::from(is_reserved(&app.replies(request.booking_id, 1).await[0]));
    }
    assert_eq!(reserved, 2, "within a batch too");
    app.stop().await;
}

#[tokio::test]
async fn two_instances_together_give_a_buyer_no_more_than_the_limit() {
    let app = TestApp::start().await;
    let mint = TokenMint::start().await;
    // It allows more unpaid holds than the first, which tells them apart.
    let flags = &["--instance", "second", "--max-holds", "1000"];
    let second = RunningService::start(&EVENT, &app.environment, mint.jwks_url(), flags, run).await;
    let probe = app.made(&app.organiser(), &plan(100_000)).await;
    eventually(async || {
        let replies = spread(&app, &probe, 1).await;
        let by_first = |reply: &TicketFact| matches!(reply, TicketFact::TicketsRejected(_));
        let firsts = replies.iter().filter(|reply| by_first(reply)).count();
        // The first two are held by either.
        if (1..14).contains(&firsts) { Ok(()) } else { Err("one instance has all partitions") }
    })
    .await;

    let event = limited(&app, 10_000, 3).await;
    eventually(async || {
        let before = conflicts(&app).await;
        let mut lock = app.environment.superuser().begin().await.expect("a transaction begins");
        let select = "SELECT event_id FROM events.event WHERE event_id = $1 FOR UPDATE";
        sqlx::query(select).bind(event.id.0).execute(&mut *lock).await.expect("it is locked");
        let asking = spread(&app, &event, 2);
        let unlocking = async {
            app.environment.all_sent(BOOKINGS).await;
            lock.rollback().await.expect("it is unlocked");
        };
        let (replies, ()) = tokio::join!(asking, unlocking);
        let reserved = replies.iter().filter(|reply| is_reserved(reply)).count();
        assert_eq!(reserved, 1, "one booking of two seats is all that three allow");
        if conflicts(&app).await > before { Ok(()) } else { Err("they did not meet") }
    })
    .await;
    second.stop().await;
    app.stop().await;
}

/// The replies to sixteen reservations of one new buyer. Keyed by booking instead of by event, they are
/// spread over the partitions.
async fn spread(app: &TestApp, event: &Concert, seats: u32) -> Vec<TicketFact> {
    let buyer = UserId(Uuid::now_v7());
    let bookings: Vec<_> = (0..16).map(|_| by(buyer, event.reserve(seats))).collect();
    for booking in &bookings {
        say_keyed_by_booking(app.environment.superuser(), &booking.clone().into()).await;
    }
    let mut replies = Vec::new();
    for booking in &bookings {
        replies.push(app.replies(booking.booking_id, 1).await.swap_remove(0));
    }
    replies
}

async fn say_keyed_by_booking(pool: &PgPool, command: &EventCommand) {
    let insert = "
        INSERT INTO bookings.outbox (topic, key, kind, correlation, body)
        VALUES ($1, $2, $3, $2, $4)";
    sqlx::query(insert)
        .bind(EventCommand::TOPIC)
        .bind(command.correlation())
        .bind(command.kind())
        .bind(command.body().expect("a command is JSON"))
        .execute(pool)
        .await
        .expect("the outbox takes it");
}

#[tokio::test]
async fn a_buyer_with_100_000_old_holds_is_decided_on_by_those_that_he_has_now() {
    let app = TestApp::start().await;
    let event = limited(&app, 100, 4).await;
    let request = event.reserve(2);
    let reservation = json!({"items": [{"quantity": 2}]});
    let old = "
        INSERT INTO events.hold (booking_id, event_id, user_id, state, reservation, created_at,
                                 changed_at)
        SELECT gen_random_uuid(), $1, $2, 'released', $3, now(), now()
        FROM generate_series(1, 100000)";
    let insert = sqlx::query(old).bind(event.id.0).bind(request.user_id.0).bind(reservation);
    insert.execute(app.environment.superuser()).await.expect("holds are stored");
    let before = rows_read(&app).await;
    assert!(is_reserved(&app.ask(request.clone()).await));
    assert!(!is_reserved(&app.ask(by(request.user_id, event.reserve(3))).await));
    assert_eq!(app.replies(request.booking_id, 1).await.len(), 1);

    // The server counts late.
    let read = eventually(async || {
        let now = rows_read(&app).await;
        if now.1 > before.1 { Ok(now.0 - before.0) } else { Err("the index was not used yet") }
    })
    .await;
    assert!(read < 1_000, "{read} rows were read to decide on two bookings");
    app.stop().await;
}

/// How many rows of holds were read so far, and how often the index of what is taken was used.
async fn rows_read(app: &TestApp) -> (i64, i64) {
    let read = "
        SELECT (SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables
                WHERE schemaname = 'events' AND relname = 'hold'),
               COALESCE((SELECT sum(idx_scan)::bigint FROM pg_stat_user_indexes
                         WHERE schemaname = 'events' AND indexrelname LIKE 'hold_taken%'), 0)";
    sqlx::query_as(read).fetch_one(app.environment.superuser()).await.expect("statistics")
}
