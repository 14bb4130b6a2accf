//! Deadlines and resends.

use karcis_contracts::PaymentFact;

use crate::{
    cancelling::payment_cancelled,
    desk::{Booked, Desk, Person, paid, released},
};
use karcis_testkit::eventually;

#[tokio::test]
async fn a_booking_nobody_pays_is_undone_at_its_deadline() {
    let desk = Desk::open_with(&["--payment-window", "5s"]).await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    desk.makes_payable(booking).await;
    desk.hears(booking, "CancelPayment").await;
    let seen = buyer.sees(booking).await;
    assert_eq!(
        (seen["status"].as_str(), seen["reason"].as_str()),
        (Some("cancelling"), Some("payment_expired"))
    );
    let time = |name: &str| {
        let text = seen[name].as_str().expect("a time");
        text.parse::<karcis_kernel::Timestamp>().expect("RFC 3339")
    };
    let lateness = time("updated_at") - time("pay_by");
    assert!((0..2_000).contains(&lateness.num_milliseconds()), "late by {lateness}");
    desk.say([payment_cancelled(booking)]).await;
    desk.hears(booking, "ReleaseTickets").await;
    desk.say([released(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    desk.close().await;
}

#[tokio::test]
async fn a_payment_that_beats_the_deadline_counts() {
    let desk = Desk::open_with(&["--payment-window", "5s"]).await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    desk.makes_payable(booking).await;
    desk.hears(booking, "CancelPayment").await;
    desk.say([paid(booking)]).await;
    desk.hears(booking, "ConfirmTickets").await;
    let seen = buyer.sees(booking).await;
    assert_eq!((seen["status"].as_str(), seen["reason"].as_str()), (Some("confirming"), None));
    desk.close().await;
}

#[tokio::test]
async fn a_booking_nobody_answers_is_undone_at_its_deadline_too() {
    let desk = Desk::open_with(&["--payment-window", "300ms"]).await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    desk.hears(booking, "ReleaseTickets").await;
    assert_eq!(buyer.sees(booking).await["reason"], "payment_expired");
    assert_eq!(desk.count(booking, "CancelPayment"), 0, "no payment was asked for");
    desk.close().await;
}

async fn is_sent_again(desk: &Desk, booking: Booked, command: &str) {
    eventually(async || if desk.count(booking, command) > 2 { Ok(()) } else { Err(command) }).await;
}

async fn settles(buyer: &Person<'_>, booking: Booked, desk: &Desk, fact: PaymentFact) {
    desk.say([fact]).await;
    buyer.waits_for(booking, "cancelled").await;
}

#[tokio::test]
async fn commands_without_an_answer_are_sent_again_until_there_is_one() {
    let desk = Desk::open_with(&["--resend-after", "50ms"]).await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    is_sent_again(&desk, booking, "ReserveTickets").await;
    desk.reserves(booking, 500).await;
    is_sent_again(&desk, booking, "RequestPayment").await;
    buyer.cancels(booking).await;
    is_sent_again(&desk, booking, "CancelPayment").await;
    settles(&buyer, booking, &desk, payment_cancelled(booking)).await;
    is_sent_again(&desk, booking, "ReleaseTickets").await;
    desk.say([released(booking)]).await;
    desk.hears(booking, "BookingCancelled").await;
    // Resends are no turns of their own.
    assert_eq!(
        buyer.timeline(booking).await,
        [
            "create: reserving ReserveTickets BookingCreated",
            "TicketsReserved: awaiting RequestPayment",
            "cancel: cancelling CancelPayment",
            "PaymentCancelled: releasing ReleaseTickets",
            "TicketsReleased: cancelled BookingCancelled",
        ]
    );
    desk.close().await;
}
