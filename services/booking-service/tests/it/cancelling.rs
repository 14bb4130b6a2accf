//! How bookings are cancelled: by buyers, events, payments and erased people.

use karcis_contracts::{
    EventCancelled, EventFact, PaymentFact, RefundRefused, RejectReason, TicketFact,
    TicketsRejected, UserErased, UserFact,
};
use karcis_kernel::EventId;
use karcis_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Booked, Buyer, TestApp, paid, payment, payment_cancelled, refunded, released, reserved,
};

/// Cancels, twice, and checks what the buyer sees.
async fn cancel(buyer: &Buyer, booking: Booked, status: &str) {
    for time in ["first", "second"] {
        let answer = buyer.cancels(booking).await.is(202).body;
        assert_eq!(answer["status"], status, "the {time} time");
        assert_eq!(answer["reason"], "cancelled_by_buyer");
        assert_eq!(answer["can"], json!([]));
    }
}

#[tokio::test]
async fn a_buyer_cancels_while_seats_are_looked_for() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    cancel(&buyer, booking, "cancelled").await;
    app.receives(booking, "ReleaseTickets").await;
    // The answer to the reservation comes after all, and changes nothing.
    app.publishes([reserved(booking, 500, 60), released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    assert_eq!(app.count(booking, "RequestPayment"), 0);
    cancel(&buyer, booking, "cancelled").await;
    app.stop().await;
}

#[tokio::test]
async fn a_buyer_cancels_instead_of_paying() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    cancel(&buyer, booking, "cancelling").await;
    app.receives(booking, "CancelPayment").await;
    assert_eq!(app.count(booking, "ReleaseTickets"), 0, "not before it is known to be unpaid");
    app.publishes([payment_cancelled(booking)]).await;
    app.receives(booking, "ReleaseTickets").await;
    app.publishes([released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    cancel(&buyer, booking, "cancelled").await;
    assert_eq!(buyer.sees(booking).await["refund"], Value::Null);
    app.stop().await;
}

#[tokio::test]
async fn money_that_was_faster_than_the_cancellation_goes_back() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    cancel(&buyer, booking, "cancelling").await;
    app.publishes([paid(booking)]).await;
    app.receives(booking, "RefundPayment").await;
    app.receives(booking, "ReleaseTickets").await;
    let amount = json!({"amount": 1_000, "currency": "IDR"});
    let refund = |status| json!({"amount": amount, "status": status});
    assert_eq!(buyer.sees(booking).await["refund"], refund("pending"));
    app.publishes([refunded(booking)]).await;
    app.publishes([released(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    assert_eq!(buyer.sees(booking).await["refund"], refund("done"));
    app.stop().await;
}

#[tokio::test]
async fn a_confirmed_booking_is_refunded_and_shows_no_tickets() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    cancel(&buyer, booking, "refunding").await;
    assert_eq!(buyer.sees(booking).await["tickets"], json!([]));
    app.publishes([released(booking)]).await;
    app.publishes([refunded(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    app.stop().await;
}

#[tokio::test]
async fn after_the_refund_window_a_paid_booking_stands() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.publishes([reserved(booking, 500, -1)]).await;
    app.publishes([paid(booking)]).await;
    app.receives(booking, "RequestPayment").await;
    app.publishes([paid(booking)]).await;
    buyer.waits_for(booking, "confirming").await;
    buyer.cancels(booking).await.is_problem(409, "refund-window-closed");
    assert_eq!(buyer.sees(booking).await["can"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn a_rejected_booking_says_why_and_cannot_be_cancelled() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    let (booking_id, event_id) = (booking.id, booking.event_id);
    let reason = RejectReason::SoldOut;
    app.publishes([TicketFact::from(TicketsRejected { booking_id, event_id, reason })]).await;
    buyer.waits_for(booking, "rejected").await;
    assert_eq!(buyer.sees(booking).await["reason"], "sold_out");
    buyer.cancels(booking).await.is_problem(409, "booking-rejected");
    app.receives(booking, "BookingRejected").await;
    app.stop().await;
}

#[tokio::test]
async fn a_refused_refund_is_stuck_until_an_operator_settles_it() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    cancel(&buyer, booking, "refunding").await;
    let (payment_id, _) = payment(booking);
    let reason = "card_closed".to_owned();
    let refused = RefundRefused { booking_id: booking.id, payment_id, reason };
    app.publishes([PaymentFact::from(refused)]).await;
    let stuck = || async {
        sqlx::query_scalar::<_, Option<String>>("SELECT stuck FROM bookings.booking WHERE id = $1")
            .bind(booking.id.0)
            .fetch_one(app.environment.superuser())
            .await
            .expect("the booking is there")
    };
    eventually(stuck).is(Some("refund_refused".to_owned())).await;
    app.publishes([refunded(booking)]).await;
    eventually(stuck).is(None).await;
    app.publishes([released(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    app.stop().await;
}

#[tokio::test]
async fn a_cancelled_event_undoes_its_bookings_in_every_stage_and_no_others() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let event_id = EventId(Uuid::now_v7());
    let reserving = buyer.books_for(event_id).await;
    let payable = buyer.books_for(event_id).await;
    let sold = buyer.books_for(event_id).await;
    let other = buyer.books().await;
    app.makes_payable(payable).await;
    app.makes_payable(sold).await;
    app.sells(sold).await;
    buyer.waits_for(payable, "awaiting_payment").await;
    buyer.waits_for(sold, "confirmed").await;
    let cancelled = EventCancelled { event_id, reason: "rain".to_owned() };
    app.publishes([EventFact::from(cancelled.clone())]).await;
    buyer.waits_for(reserving, "cancelled").await;
    buyer.waits_for(payable, "cancelling").await;
    buyer.waits_for(sold, "refunding").await;
    // It is announced again for as long as seats are held: late bookings are undone too.
    let late = buyer.books_for(event_id).await;
    app.publishes([EventFact::from(cancelled)]).await;
    buyer.waits_for(late, "cancelled").await;
    for booking in [reserving, payable, sold, late] {
        assert_eq!(buyer.sees(booking).await["reason"], "event_cancelled");
    }
    assert_eq!(buyer.status(other).await, "pending");
    app.stop().await;
}

#[tokio::test]
async fn an_erased_persons_unconfirmed_bookings_are_cancelled() {
    let app = TestApp::start().await;
    let (gone, stays) = (app.buyer(), app.buyer());
    let reserving = gone.books().await;
    let sold = gone.books().await;
    let other = stays.books().await;
    app.makes_payable(sold).await;
    app.sells(sold).await;
    gone.waits_for(sold, "confirmed").await;
    app.publishes([UserFact::from(UserErased { user_id: gone.user_id })]).await;
    gone.waits_for(reserving, "cancelled").await;
    assert_eq!(gone.status(sold).await, "confirmed");
    assert_eq!(stays.status(other).await, "pending");
    app.stop().await;
}
