//! Payments for which the buyer has to do something at the bank.

use karcis_testkit::{Ledger, eventually};
use serde_json::json;

use crate::{
    harness::{PRICE, PaymentAnswer, TestApp},
    provider::ASKS_AGAIN,
};

#[tokio::test]
async fn a_buyer_who_does_what_the_bank_waits_for_has_paid() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    let key = Some("transfer");
    let waiting = app.pay_with(buyer, "tok_action_required", key).await;
    let waiting = waiting.shows_payment(202, "action_required");
    let action = &waiting.body["next_action"];
    assert_eq!(action["kind"], "redirect");
    let url = app.url(&format!("/simulated-provider/{}", buyer.booking));
    assert_eq!(action["url"], url);
    assert!(action["expires_at"].is_string());
    assert_eq!(waiting.body["attempts"][0]["outcome"], json!(null));

    let again = app.pay_with(buyer, "tok_action_required", key).await;
    let again = again.shows_payment(202, "action_required");
    assert!(again.is_replayed());
    assert_eq!(again.body, waiting.body);
    app.pay(buyer, "tok_approved").await.is_problem(409, "attempt-unresolved");
    assert_eq!(app.payment(buyer).await, waiting.body);

    app.approves(buyer).await;
    let paid = app.becomes(buyer, "succeeded").await;
    assert_eq!(paid["next_action"], json!(null));
    assert_eq!(paid["attempts"][0]["outcome"], "approved");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.pay_with(buyer, "tok_action_required", key).await.shows_payment(202, "succeeded");
    app.stop().await;
}

#[tokio::test]
async fn a_cancel_while_the_bank_waits_for_the_buyer_voids_the_charge() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_action_required").await.shows_payment(202, "action_required");
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    let payment = app.becomes(buyer, "cancelled").await;
    assert_eq!(payment["next_action"], json!(null));
    assert_eq!(payment["attempts"][0]["outcome"], "voided");
    app.approves(buyer).await;
    assert_eq!(app.ledger(buyer).await, Ledger::default());
    assert_eq!(app.payment(buyer).await, payment);
    app.stop().await;
}

#[tokio::test]
async fn a_buyer_who_does_nothing_can_try_again() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_action_required").await.shows_payment(202, "action_required");
    let expire = "UPDATE simulated_gateway.charge SET due_at = now() WHERE intent = $1";
    sqlx::query(expire).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
    let payment = app.becomes(buyer, "open").await;
    assert_eq!(payment["attempts"][0]["decline_code"], "action_expired");
    assert_eq!((&payment["next_action"], &payment["attempts_left"]), (&json!(null), &json!(2)));
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn attempts_that_wait_for_their_buyer_are_not_counted_as_unresolved() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let (buyer, other) = (app.buyer().await, app.buyer().await);
    app.pay(buyer, "tok_action_required").await.shows_payment(202, "action_required");
    app.pay(other, "tok_action_required").await.shows_payment(202, "action_required");
    // Its outcome is found by a pass that has asked about the first as well.
    app.approves(other).await;
    app.becomes(other, "succeeded").await;
    eventually(async || app.counter("karcis_payments_unresolved").await).is(0).await;
    assert_eq!(app.payment(buyer).await["status"], "action_required");
}
