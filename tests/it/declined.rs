//! Declined payments: some may be tried again, some end the booking and free its seats.

use karcis_fleet::{Booking, Fleet, FleetAnswer, Ledger, Person};
use karcis_testkit::eventually;
use serde_json::{Value, json};

/// Pays with a card that is declined. Returns the payment afterwards.
async fn is_declined(buyer: &Person, booking: &Booking, method: &str, retryable: bool) -> Value {
    let answer = buyer.pays(booking, method).await;
    let payment = eventually(async || match buyer.payment(booking).await {
        payment if payment["status"] == "processing" => Err(payment),
        payment => Ok(payment),
    })
    .await;
    // After 2 s, which is long only on a slow machine, nobody is told why.
    if answer.status != 202 {
        let declined = answer.is_declined().body;
        assert_eq!(declined["retryable"], retryable);
        assert_eq!(declined["attempts_left"], payment["attempts_left"]);
    }
    assert_eq!(payment["attempts"].as_array().unwrap().last().unwrap()["outcome"], "declined");
    payment
}

#[tokio::test]
async fn a_stolen_card_gives_the_seats_back() {
    let mut fleet = Fleet::start().await;
    fleet.checked_at_rest();
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;
    assert_eq!(fleet.free(&concert, "VIP").await, 8);

    is_declined(&sari, &booking, "tok_stolen_card", false).await;

    let cancelled = ("cancelled".to_owned(), "payment_failed".to_owned());
    eventually(|| sari.sees_why(&booking)).is(cancelled).await;
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
    let sent = ["ReserveTickets", "RequestPayment", "ReleaseTickets"];
    assert_eq!(sari.commands(&booking).await, sent);
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
    sari.pays(&booking, "tok_approved").await.is_problem(409, "payment-closed");
}

#[tokio::test]
async fn the_third_soft_decline_is_the_last() {
    let mut fleet = Fleet::start().await;
    fleet.checked_at_rest();
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    for left in [2, 1, 0] {
        let payment = is_declined(&sari, &booking, "tok_insufficient_funds", left > 0).await;
        assert_eq!(payment["attempts_left"], left);
    }
    let cancelled = ("cancelled".to_owned(), "payment_failed".to_owned());
    eventually(|| sari.sees_why(&booking)).is(cancelled).await;
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
}

#[tokio::test]
async fn after_a_soft_decline_another_card_will_do() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    is_declined(&sari, &booking, "tok_insufficient_funds", true).await;
    assert_eq!(sari.booking(&booking).await["can"], json!(["pay", "cancel"]));
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(750_000));
}
