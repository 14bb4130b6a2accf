//! Deadlines and resends.

use chrono::{SubsecRound, TimeDelta};
use karcis_contracts::{EventCancelled, EventFact, PaymentFact, TicketFact, TicketsReserved};
use karcis_kernel::{EventId, Timestamp};
use karcis_process::now;
use karcis_testkit::eventually;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Booked, Buyer, TestApp, held, paid, payment_cancelled, released, requested};

/// Ends the time to pay now, however long it took to get here.
async fn deadline_ends(app: &TestApp, buyer: &Buyer, booking: Booked) {
    buyer.waits_for(booking, "awaiting_payment").await;
    app.ends_deadlines(&[booking]).await;
}

fn time(booking: &Value, name: &str) -> Timestamp {
    booking[name].as_str().expect("a time").parse().expect("RFC 3339")
}

#[tokio::test]
async fn an_unpaid_booking_is_undone_at_its_deadline() {
    let app = TestApp::start_with(&["--payment-window", "7m", "--resend-after", "10m"]).await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    let payable = buyer.sees(booking).await;
    assert_eq!(time(&payable, "pay_by") - time(&payable, "created_at"), TimeDelta::minutes(7));
    deadline_ends(&app, &buyer, booking).await;
    app.receives(booking, "CancelPayment").await;
    let seen = buyer.sees(booking).await;
    assert_eq!(
        (seen["status"].as_str(), seen["reason"].as_str()),
        (Some("cancelling"), Some("payment_expired"))
    );
    let lateness = time(&seen, "updated_at") - time(&seen, "pay_by");
    assert!((0..20_000).contains(&lateness.num_milliseconds()), "late by {lateness}");
    app.publishes([payment_cancelled(booking)]).await;
    app.receives(booking, "ReleaseTickets").await;
    app.publishes([released(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    app.stop().await;
}

#[tokio::test]
async fn a_hold_is_not_paid_after_its_tickets_are_on_sale() {
    let app = TestApp::start_with(&["--payment-window", "7m", "--resend-after", "10m"]).await;
    let buyer = app.buyer();
    let [booking, late] = [buyer.books().await, buyer.books().await];
    let ends = |booking, sales_end| {
        TicketFact::from(TicketsReserved { sales_end: Some(sales_end), ..held(booking, 500) })
    };
    // In microseconds, as it is stored.
    let soon = now().trunc_subsecs(6) + TimeDelta::seconds(5);
    app.publishes([ends(booking, soon)]).await;
    app.receives(booking, "RequestPayment").await;
    let payable = buyer.sees(booking).await;
    assert_eq!(time(&payable, "pay_by"), soon);
    app.publishes([requested(booking)]).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    app.receives(booking, "CancelPayment").await;
    let seen = buyer.sees(booking).await;
    assert_eq!(seen["reason"], "payment_expired");
    let lateness = time(&seen, "updated_at") - soon;
    assert!((0..20_000).contains(&lateness.num_milliseconds()), "late by {lateness}");
    // Sales ended while the seats were looked for: there is no time to pay.
    app.publishes([ends(late, now() - TimeDelta::seconds(1))]).await;
    app.receives(late, "CancelPayment").await;
    assert_eq!(buyer.sees(late).await["reason"], "payment_expired");
    app.stop().await;
}

#[tokio::test]
async fn a_payment_that_beats_the_deadline_counts() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    deadline_ends(&app, &buyer, booking).await;
    app.receives(booking, "CancelPayment").await;
    app.publishes([paid(booking)]).await;
    app.receives(booking, "ConfirmTickets").await;
    let seen = buyer.sees(booking).await;
    assert_eq!((seen["status"].as_str(), seen["reason"].as_str()), (Some("confirming"), None));
    app.stop().await;
}

#[tokio::test]
async fn an_unanswered_booking_is_undone_at_its_deadline_too() {
    let app = TestApp::start_with(&["--payment-window", "300ms"]).await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.receives(booking, "ReleaseTickets").await;
    assert_eq!(buyer.sees(booking).await["reason"], "payment_expired");
    assert_eq!(app.count(booking, "CancelPayment"), 0, "no payment was asked for");
    app.stop().await;
}

#[tokio::test]
async fn an_unreadable_booking_stops_neither_deadlines_nor_cancelled_events() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let event_id = EventId(Uuid::now_v7());
    let unreadable = buyer.books_for(event_id).await;
    let due = buyer.books().await;
    app.makes_payable(due).await;
    buyer.waits_for(due, "awaiting_payment").await;
    // In one statement, so that both are due at once.
    let change = "UPDATE bookings.booking SET pay_by = now(), due_at = now(),
            stuck = CASE WHEN id = $1 THEN 'an unknown word' END
        WHERE id IN ($1, $2)";
    sqlx::query(change)
        .bind(unreadable.id.0)
        .bind(due.id.0)
        .execute(app.environment.superuser())
        .await
        .expect("the rows can be changed");
    app.receives(due, "CancelPayment").await;

    let (same_event, other_event) = (buyer.books_for(event_id).await, buyer.books().await);
    let cancelled = [event_id, other_event.event_id]
        .map(|event_id| EventFact::from(EventCancelled { event_id, reason: "rain".to_owned() }));
    app.publishes(cancelled).await;
    for booking in [same_event, other_event] {
        buyer.waits_for(booking, "cancelled").await;
        assert_eq!(buyer.sees(booking).await["reason"], "event_cancelled");
    }
    app.stop().await;
}

async fn is_sent_again(app: &TestApp, booking: Booked, command: &str) {
    eventually(async || if app.count(booking, command) > 2 { Ok(()) } else { Err(command) }).await;
}

async fn settles(buyer: &Buyer, booking: Booked, app: &TestApp, fact: PaymentFact) {
    app.publishes([fact]).await;
    buyer.waits_for(booking, "cancelled").await;
}

#[tokio::test]
async fn commands_without_an_answer_are_sent_again_until_there_is_one() {
    let app = TestApp::start_with(&["--resend-after", "50ms"]).await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    is_sent_again(&app, booking, "ReserveTickets").await;
    app.reserves(booking, 500).await;
    is_sent_again(&app, booking, "RequestPayment").await;
    buyer.cancels(booking).await;
    is_sent_again(&app, booking, "CancelPayment").await;
    settles(&buyer, booking, &app, payment_cancelled(booking)).await;
    is_sent_again(&app, booking, "ReleaseTickets").await;
    app.publishes([released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    // Resends are not logged.
    assert_eq!(
        buyer.timeline(booking).await,
        [
            "create: reserving ReserveTickets BookingCreated",
            "TicketsReserved: awaiting RequestPayment BookingReserved",
            "cancel: cancelling CancelPayment",
            "PaymentCancelled: releasing ReleaseTickets",
            "TicketsReleased: cancelled BookingCancelled",
        ]
    );
    app.stop().await;
}
