//! A payments database that was restored to an earlier time: the provider knows more than it.

use karcis_testkit::Ledger;
use serde_json::json;

use crate::harness::{Buyer, PRICE, PaymentAnswer, TestApp};

/// The database forgets all that happened after the payment was asked for.
async fn restore(app: &TestApp, buyer: Buyer) {
    let restore = "WITH forgotten AS (DELETE FROM payments.attempt WHERE booking_id = $1)
        UPDATE payments.payment
        SET status = 'open', captured = 0, refunded = 0, version = 1 WHERE booking_id = $1";
    sqlx::query(restore).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
}

#[tokio::test]
async fn money_that_the_provider_has_pays_whatever_the_buyer_tries_next() {
    let app = TestApp::start().await;
    for method in ["tok_approved", "tok_slow", "tok_stolen_card", "tok_insufficient_funds"] {
        let buyer = app.buyer().await;
        app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
        restore(&app, buyer).await;
        assert_eq!(app.payment(buyer).await["status"], "open");

        let paid = app.pay(buyer, method).await.shows_payment(200, "succeeded");
        assert_eq!(paid.body["captured"]["amount"], json!(PRICE), "{method}");
        assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE), "{method}");
        app.told(buyer, &["Requested", "Succeeded", "Succeeded"]).await;

        app.send(buyer.refund()).await;
        app.becomes(buyer, "refunded").await;
        assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE), "{method}");
    }
    app.stop().await;
}

#[tokio::test]
async fn money_that_has_gone_back_already_pays_nothing() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    app.send(buyer.refund()).await;
    app.becomes(buyer, "refunded").await;
    restore(&app, buyer).await;
    app.pay(buyer, "tok_approved").await.is_problem(409, "payment-closed");
    assert_eq!(app.payment(buyer).await["status"], "cancelled");
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}
