//! How often the provider is asked about what it does not settle: less and less, and at once when there
//! is news.

use std::time::Duration;

use karcis_testkit::{Ledger, eventually};
use tokio::time::Instant;

use crate::{
    harness::{PRICE, PaymentAnswer, TestApp},
    provider::{ASKS_AGAIN, WITH_SECRETS},
};

/// Asserts that of these gaps each is about twice the one before, from 1 s on. A worker looks each second.
fn doubles(gaps: &[Duration]) {
    for (gap, about_s) in gaps.iter().map(Duration::as_secs_f64).zip([1.0, 2.0, 4.0, 8.0]) {
        assert!(gap >= 0.8 * about_s, "asked again too early: {gaps:?}");
    }
}

#[tokio::test]
async fn a_refund_that_is_pending_is_done_later() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_refund_pending").await.shows_payment(200, "succeeded");
    app.records_calls().await;
    app.send(buyer.refund()).await;
    eventually(async || app.calls("refund").await >= 2).is(true).await;
    assert_eq!(app.payment(buyer).await["status"], "refunding");
    app.told(buyer, &["Requested", "Succeeded", "Refunded"]).await;
    app.becomes(buyer, "refunded").await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    // 4 s: at once, after 1 s, after 2 s more, and when its webhook comes.
    assert!(app.calls("refund").await <= 5, "{:?}", app.gaps("refund").await);
    app.stop().await;
}

#[tokio::test]
async fn a_refused_refund_is_told_once_and_asked_for_less_and_less_often() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.records_calls().await;
    app.pay(buyer, "tok_refund_refused").await.shows_payment(200, "succeeded");
    app.send(buyer.refund()).await;
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused"]).await;
    eventually(async || app.calls("refund").await).is(4).await;
    doubles(&app.gaps("refund").await);
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));

    // The provider changes its mind.
    let allow = "UPDATE simulated_gateway.charge SET method = 'tok_approved' WHERE intent = $1";
    sqlx::query(allow).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused", "Refunded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn an_attempt_without_an_outcome_is_asked_about_less_and_less_often() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.records_calls().await;
    // The bank is silent: each call ends after a second, and is written down when the bank is back.
    app.pay(buyer, "tok_executes_late").await.shows_payment(202, "processing");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    let gaps = app.gaps("charge").await;
    doubles(gaps.get(..2).unwrap_or(&gaps));
    // 10 s: at once, after 1 s, 2 s and 4 s more, and when its webhook comes.
    assert!(gaps.len() <= 5, "{gaps:?}");
    app.stop().await;
}

#[tokio::test]
async fn the_bank_is_hardly_asked_about_a_buyer_who_has_time_to_act() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.records_calls().await;
    app.pay(buyer, "tok_action_required").await.shows_payment(202, "action_required");
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(app.calls("charge").await, 1);
    app.stop().await;
}

#[tokio::test]
async fn a_buyer_who_looks_has_the_bank_asked_at_once_but_not_all_the_time() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.records_calls().await;
    app.pay(buyer, "tok_action_required").await.shows_payment(202, "action_required");
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(5) {
        assert_eq!(app.payment(buyer).await["status"], "action_required");
    }
    let (calls, most) = (app.calls("charge").await, since.elapsed().as_secs() as i64 + 3);
    assert!((2..=most).contains(&calls), "asked {calls} times in {:?}", since.elapsed());

    // Nobody sends a webhook.
    app.approves(buyer).await;
    let status = async || app.payment(buyer).await["status"].clone();
    eventually(status).within(Duration::from_secs(20)).is(serde_json::json!("succeeded")).await;
    app.stop().await;
}

#[tokio::test]
async fn a_flood_of_webhooks_has_the_bank_asked_once_a_second() {
    let app = TestApp::start_with(&WITH_SECRETS).await;
    let buyer = app.buyer().await;
    app.records_calls().await;
    app.pay(buyer, "tok_action_required").await.shows_payment(202, "action_required");
    let (since, mut sent) = (Instant::now(), 0);
    while since.elapsed() < Duration::from_secs(4) {
        app.sends_webhook(buyer).await;
        sent += 1;
    }
    let (calls, most) = (app.calls("charge").await, since.elapsed().as_secs() as i64 + 3);
    assert!(sent > most && (2..=most).contains(&calls), "{sent} webhooks, asked {calls} times");
    app.stop().await;
}
