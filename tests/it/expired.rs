//! A buyer who does not pay in time loses the seats, but only once no money can come any more.

use karcis_fleet::{Booking, Concert, Fleet, Ledger, Person};
use karcis_schemas::PAYMENT;
use karcis_testkit::eventually;

#[tokio::test]
async fn unpaid_bookings_give_their_seats_back() {
    // Time enough to become payable on a busy machine: what is due before takes another way.
    let fleet = Fleet::builder().payment_window("15s").start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;

    let cancelled = ("cancelled".to_owned(), "payment_expired".to_owned());
    eventually(|| sari.sees_why(&booking)).is(cancelled).await;
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
    let sent = ["ReserveTickets", "RequestPayment", "CancelPayment", "ReleaseTickets"];
    assert_eq!(sari.commands(&booking).await, sent);
    sari.pays(&booking, "tok_approved").await.is_problem(409, "payment-closed");
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
}

#[tokio::test]
async fn a_payment_that_waits_for_its_buyer_at_the_deadline_takes_no_money() {
    let fleet = Fleet::start().await;
    let (concert, sari, booking) = a_transfer_is_awaited(&fleet).await;
    is_overdue(&fleet, &booking).await;

    let cancelled = ("cancelled".to_owned(), "payment_expired".to_owned());
    eventually(|| sari.sees_why(&booking)).is(cancelled).await;
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
    let sent = ["ReserveTickets", "RequestPayment", "CancelPayment", "ReleaseTickets"];
    assert_eq!(sari.commands(&booking).await, sent);
    // The buyer transfers the money all the same: the provider no longer takes it.
    let late = "UPDATE simulated_gateway.charge SET approved = true WHERE intent = $1";
    let late = sqlx::query(late).bind(booking.id.0);
    assert_eq!(late.execute(fleet.environment().superuser()).await.unwrap().rows_affected(), 1);
    sari.pays(&booking, "tok_approved").await.is_problem(409, "payment-closed");
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
}

#[tokio::test]
async fn money_that_the_provider_took_just_before_the_deadline_buys_the_tickets() {
    let fleet = Fleet::start().await;
    let (concert, sari, booking) = a_transfer_is_awaited(&fleet).await;
    // The provider takes the money, and nobody hears of it before the deadline.
    fleet.stop(&PAYMENT).await;
    let captured = "
        WITH captured AS (
            UPDATE simulated_gateway.charge SET approved = true, answer = 'captured'
            WHERE intent = $1 RETURNING intent, key
        )
        INSERT INTO simulated_gateway.intent (id, fate, charge_key, at)
        SELECT intent, 'captured', key, now() FROM captured";
    let captured = sqlx::query(captured).bind(booking.id.0);
    assert_eq!(captured.execute(fleet.environment().superuser()).await.unwrap().rows_affected(), 1);
    is_overdue(&fleet, &booking).await;
    eventually(|| sari.sees(&booking)).is("cancelling").await;
    fleet.start_again(&PAYMENT).await;

    eventually(|| sari.sees(&booking)).is("confirmed").await;
    let sent = ["ReserveTickets", "RequestPayment", "CancelPayment", "ConfirmTickets"];
    assert_eq!(sari.commands(&booking).await, sent);
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(750_000));
    assert_eq!(fleet.free(&concert, "VIP").await, 9);
}

/// A booking whose payment is under way until its buyer transfers the money.
async fn a_transfer_is_awaited(fleet: &Fleet) -> (Concert, Person, Booking) {
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    let waiting = sari.pays(&booking, "tok_action_required").await.is(202);
    assert_eq!(waiting.body["status"], "action_required");
    (concert, sari, booking)
}

async fn is_overdue(fleet: &Fleet, booking: &Booking) {
    let deadline =
        "UPDATE bookings.booking SET due_at = now() WHERE id = $1 AND stage = 'awaiting'";
    let deadline = sqlx::query(deadline).bind(booking.id.0);
    let overdue = deadline.execute(fleet.environment().superuser()).await.unwrap();
    assert_eq!(overdue.rows_affected(), 1);
}
