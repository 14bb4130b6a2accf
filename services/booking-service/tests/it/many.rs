//! Many at a time: requests, replies, and a whole event's bookings.

use std::collections::HashSet;

use karcis_contracts::{EventCancelled, EventFact, Ticket, TicketFact, TicketsConfirmed};
use karcis_kernel::{EventId, TicketCode, TicketTypeId};
use karcis_testkit::{Answer, eventually, together};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{Booked, Buyer, TestApp, id_of, order, paid, requested, reserved};

fn create(buyer: &Buyer, key: &str, order: &Value) -> impl Future<Output = Answer> + use<> {
    let request = buyer.request(Method::POST, "/booking/create");
    Answer::to(request.header("idempotency-key", key).json(order))
}

fn is_repeated(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotent-replayed")
}

#[tokio::test]
async fn the_same_key_twenty_times_at_once_makes_one_booking() {
    let app = TestApp::start().await;
    let (buyer, other) = (app.buyer(), app.buyer());
    let wanted = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        requests.spawn(create(&buyer, "one", &wanted));
    }
    let answers = requests.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::ACCEPTED));
    let ids: HashSet<_> = answers.iter().map(|answer| id_of(&answer.body)).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !is_repeated(answer)).count(), 1);
    let list = buyer.get("/bookings").await;
    assert_eq!(list.body["items"].as_array().map(Vec::len), Some(1));

    // Another body is another request, another buyer's key is another key.
    let different = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    create(&buyer, "one", &different).await.is_problem(422, "idempotency-key-reused");
    let answer = create(&other, "one", &wanted).await.is(202);
    assert!(!is_repeated(&answer));
    assert!(!ids.contains(&id_of(&answer.body)));
    app.stop().await;
}

#[tokio::test]
async fn a_repeated_request_is_answered_with_the_booking_as_it_is_now() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let wanted = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    let id = id_of(&create(&buyer, "again", &wanted).await.body);
    buyer.post("/booking/cancel", &json!({"booking_id": id})).await;
    let again = create(&buyer, "again", &wanted).await.is(202);
    assert!(is_repeated(&again));
    assert_eq!(again.body, buyer.get(&format!("/bookings/{id}")).await.body);
    assert_eq!(again.body["status"], "cancelled");
    app.stop().await;
}

#[tokio::test]
async fn twenty_cancellations_at_once_are_one() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let request = buyer.request(Method::POST, "/booking/cancel");
        requests.spawn(Answer::to(request.json(&json!({"booking_id": booking.id}))));
    }
    for answer in requests.join_all().await {
        assert_eq!(answer.is(202).body["status"], "cancelled");
    }
    app.receives(booking, "ReleaseTickets").await;
    assert_eq!(app.count(booking, "ReleaseTickets"), 1);
    assert_eq!(buyer.timeline(booking).await.len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn a_cancelled_event_with_hundreds_of_bookings_leaves_none() {
    let app = TestApp::start().await;
    let event_id = EventId(Uuid::now_v7());
    let creating = (0..1_200).map(async |_| {
        let (buyer, wanted) = (app.buyer(), order(event_id, TicketTypeId(Uuid::now_v7())));
        // A busy machine's service may answer 503; with its key each request makes one booking.
        eventually(|| async { create(&buyer, "one", &wanted).await.status })
            .is(StatusCode::ACCEPTED)
            .await;
    });
    // The kernel resets some of more than 1,024 connections that wait for a busy service.
    together(500, creating).await;
    let cancelled = EventCancelled { event_id, reason: "rain".to_owned() };
    app.publishes([EventFact::from(cancelled)]).await;
    let undone = || async {
        let count = "SELECT count(*) FROM bookings.booking
            WHERE stage = 'releasing' AND reason = 'event_cancelled'";
        let count: i64 = sqlx::query_scalar(count)
            .fetch_one(app.environment.superuser())
            .await
            .expect("bookings can be counted");
        count
    };
    eventually(undone).is(1_200).await;
    app.stop().await;
}

#[tokio::test]
async fn hundreds_of_replies_at_once_move_each_booking_once() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let mut bookings = vec![];
    for _ in 0..300 {
        bookings.push(buyer.books().await);
    }
    app.publishes(bookings.iter().flat_map(|b| [reserved(*b, 500, 60), reserved(*b, 500, 60)]))
        .await;
    // Payments have a topic of their own: one that came before the seats would count for nothing.
    for booking in &bookings {
        app.receives(*booking, "RequestPayment").await;
    }
    app.publishes(bookings.iter().flat_map(|b| [requested(*b), paid(*b), paid(*b)])).await;
    for booking in &bookings {
        app.receives(*booking, "ConfirmTickets").await;
    }
    for command in ["ReserveTickets", "RequestPayment", "ConfirmTickets"] {
        assert!(bookings.iter().all(|booking| app.count(*booking, command) == 1), "{command}");
    }
    app.stop().await;
}

/// Bookings of the largest size, which are confirmed and called off at once.
const LARGE: u128 = 60;
const SEATS_EACH: i64 = 1_000;
/// The most seats that one commit has.
const MOST_SEATS: i64 = 20_000;

#[tokio::test]
async fn sixty_bookings_of_a_thousand_seats_are_confirmed_and_undone_in_parts() {
    let app = TestApp::start().await;
    let (buyer, event_id) = (app.buyer(), EventId(Uuid::now_v7()));
    let mut bookings = vec![];
    for _ in 0..LARGE {
        let ticket_type_id = TicketTypeId(Uuid::now_v7());
        let mut order = order(event_id, ticket_type_id);
        order["items"][0]["quantity"] = json!(SEATS_EACH);
        let id = id_of(&buyer.post("/booking/create", &order).await.is(202).body);
        bookings.push(Booked { id, event_id, ticket_type_id });
    }
    app.publishes(bookings.iter().map(|booking| reserved(*booking, 0, 60))).await;
    in_stage(&app, "confirming").await;

    app.publishes(bookings.iter().map(|booking| many_tickets(*booking))).await;
    in_stage(&app, "confirmed").await;
    let confirmed = most_seats_in_one_commit(&app).await;
    assert!(confirmed <= MOST_SEATS, "{confirmed} seats were confirmed in one commit");
    assert!(confirmed > SEATS_EACH, "and not one booking at a time");

    let cancelled = EventCancelled { event_id, reason: "rain".to_owned() };
    app.publishes([EventFact::from(cancelled)]).await;
    in_stage(&app, "releasing").await;
    let undone = most_seats_in_one_commit(&app).await;
    assert!(undone <= MOST_SEATS, "{undone} seats were undone in one commit");
    assert!(undone > SEATS_EACH, "and not one booking at a time");
    app.stop().await;
}

fn many_tickets(booking: Booked) -> TicketFact {
    let ticket = |seat| Ticket {
        code: TicketCode::from_bits(booking.id.0.as_u128() ^ seat),
        ticket_type_id: booking.ticket_type_id,
        name: "VIP".into(),
    };
    let (booking_id, event_id) = (booking.id, booking.event_id);
    let tickets = (0..SEATS_EACH as u128).map(ticket).collect();
    TicketsConfirmed { booking_id, event_id, tickets }.into()
}

/// Waits until all large bookings are in this stage.
async fn in_stage(app: &TestApp, stage: &str) {
    let count = "SELECT count(*) FROM bookings.booking WHERE stage = $1";
    let counted = async || -> i64 {
        let counted = sqlx::query_scalar(count).bind(stage).fetch_one(app.environment.superuser());
        counted.await.expect("bookings can be counted")
    };
    eventually(counted).is(LARGE as i64).await;
}

/// Each row shows which transaction changed it last.
async fn most_seats_in_one_commit(app: &TestApp) -> i64 {
    let count = "SELECT max(bookings) FROM (
        SELECT count(*) AS bookings FROM bookings.booking GROUP BY xmin::text) AS commits";
    let bookings: i64 = sqlx::query_scalar(count)
        .fetch_one(app.environment.superuser())
        .await
        .expect("rows can be counted");
    bookings * SEATS_EACH
}
