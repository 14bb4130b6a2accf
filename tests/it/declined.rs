//! Declined payments: some may be tried again, some end the booking and free its seats.

use karcis_testkit::{Fleet, Ledger, eventually};
use serde_json::json;

#[tokio::test]
async fn a_stolen_card_gives_the_seats_back() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;
    assert_eq!(fleet.free(&concert, "VIP").await, 8);

    let declined = sari.pays(&booking, "tok_stolen_card").await.is_declined();
    assert_eq!(declined.body["retryable"], false);

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
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    for left in [2, 1, 0] {
        let declined = sari.pays(&booking, "tok_insufficient_funds").await.is_declined();
        assert_eq!(declined.body["attempts_left"], left);
        assert_eq!(declined.body["retryable"], left > 0);
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
    let declined = sari.pays(&booking, "tok_insufficient_funds").await.is_declined();
    assert_eq!(declined.body["retryable"], true);
    assert_eq!(sari.booking(&booking).await["can"], json!(["pay", "cancel"]));
    sari.pays(&booking, "tok_approved").await.is(200);
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(750_000));
}
