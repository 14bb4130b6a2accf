//! A provider that does not answer: what became of a charge is found out, and what comes too late goes
//! back.

use std::time::Duration;

use karcis_schemas::PAYMENTS;
use karcis_testkit::{Ledger, eventually};
use serde_json::json;

use crate::{
    harness::{PRICE, PaymentAnswer, TestApp},
    provider::{ASKS_AGAIN, CAPTURE, RETURNED, SHORT_CLAIMS, locked_while_asked, pays_too_late},
};

#[tokio::test]
async fn a_lost_answer_is_found_with_the_same_key() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    let key = Some("once");
    let processing = app.pay_with(buyer, "tok_answer_lost", key).await;
    processing.shows_payment(202, "processing");
    app.pay(buyer, "tok_approved").await.is_problem(409, "attempt-unresolved");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    let paid = app.pay_with(buyer, "tok_answer_lost", key).await.shows_payment(202, "succeeded");
    assert!(paid.is_replayed());
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    let keys = "SELECT count(*) FROM simulated_gateway.charge WHERE intent = $1";
    assert_eq!(app.number_of(buyer, keys).await, 1);
    app.stop().await;
}

#[tokio::test]
async fn a_cancel_after_a_lost_answer_finds_the_money_which_is_refunded() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_answer_lost").await.shows_payment(202, "processing");
    // The charge is not answered again: only voiding the intent can tell.
    let thinking = app.bank_thinks().await;
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Succeeded"]).await;
    thinking.rollback().await.unwrap();
    app.send(buyer.refund()).await;
    app.told(buyer, &["Requested", "Succeeded", "Refunded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn a_service_killed_after_a_lost_answer_finds_the_money_when_it_is_back() {
    let mut app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_answer_lost").await.shows_payment(202, "processing");
    app.is_settled().await;
    app.kill();
    app.start_instance_with(&ASKS_AGAIN).await;
    app.becomes(buyer, "succeeded").await;
    app.environment.all_sent(PAYMENTS).await;
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn a_charge_that_never_arrives_stays_unknown_until_its_intent_is_voided() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_never_arrives").await.shows_payment(202, "processing");
    // It was asked for again and again, and the provider knows nothing of it.
    let tries = "SELECT tries::bigint FROM payments.payment WHERE booking_id = $1";
    eventually(async || app.number_of(buyer, tries).await > 2).is(true).await;
    assert_eq!(app.payment(buyer).await["status"], "processing");
    app.told(buyer, &["Requested"]).await;
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    let payment = app.becomes(buyer, "cancelled").await;
    assert_eq!(payment["attempts"][0]["outcome"], "voided");
    assert_eq!(app.ledger(buyer).await, Ledger::default());
    app.stop().await;
}

#[tokio::test]
async fn a_charge_that_is_carried_out_late_pays() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_executes_late").await.shows_payment(202, "processing");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.becomes(buyer, "succeeded").await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn money_that_comes_after_the_cancel_goes_back_once() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = pays_too_late(&app).await;
    app.is_carried_out_in(buyer, 0).await;
    app.told(buyer, &RETURNED).await;
    let payment = app.payment(buyer).await;
    let money = (&payment["captured"]["amount"], &payment["refunded"]["amount"]);
    assert_eq!((&payment["status"], money), (&json!("cancelled"), (&json!(PRICE), &json!(PRICE))));
    assert_eq!(payment["attempts"][0]["outcome"], "returned");
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));

    for _ in 0..3 {
        app.provider_calls(buyer).await;
    }
    app.all_webhooks_taken().await;
    app.send(buyer.cancel()).await;
    let again = [&RETURNED[..], &["Cancelled"]].concat();
    app.told(buyer, &again).await;
    assert_eq!(app.payment(buyer).await, payment);
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn late_money_goes_back_though_clocks_say_it_was_asked_for_after_the_cancel() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = pays_too_late(&app).await;
    let asked = "UPDATE simulated_gateway.charge SET asked_at = now() + interval '1 s'
                 WHERE intent = $1";
    sqlx::query(asked).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
    app.is_carried_out_in(buyer, 0).await;
    app.told(buyer, &RETURNED).await;
    app.stop().await;
}

#[tokio::test]
async fn late_money_whose_answer_could_not_be_stored_goes_back() {
    let app = TestApp::start_with(&SHORT_CLAIMS).await;
    let (buyer, other) = (pays_too_late(&app).await, pays_too_late(&app).await);
    let locking = locked_while_asked(&app, buyer, other, Some(CAPTURE)).await;
    locking.rollback().await.unwrap();
    app.told(buyer, &RETURNED).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn a_service_killed_before_the_money_comes_returns_it_when_it_is_back() {
    let mut app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = pays_too_late(&app).await;
    app.is_settled().await;
    app.kill();
    app.is_carried_out_in(buyer, 0).await;
    app.start_instance_with(&ASKS_AGAIN).await;
    app.told(buyer, &RETURNED).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn two_instances_return_late_money_once() {
    let mut app = TestApp::start_with(&ASKS_AGAIN).await;
    app.start_instance_with(&ASKS_AGAIN).await;
    app.is_settled().await;
    let mut buyers = Vec::new();
    for _ in 0..5 {
        buyers.push(pays_too_late(&app).await);
    }
    for buyer in &buyers {
        app.is_carried_out_in(*buyer, 0).await;
    }
    for buyer in buyers {
        app.told(buyer, &RETURNED).await;
        assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    }
    app.stop().await;
}

#[tokio::test]
async fn money_that_comes_twice_goes_back_once() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    app.captures_late(buyer).await;
    app.provider_calls(buyer).await;
    app.told(buyer, &["Requested", "Succeeded", "Returned"]).await;
    let payment = app.becomes(buyer, "succeeded").await;
    let outcomes = [0, 1].map(|number| payment["attempts"][number]["outcome"].clone());
    assert_eq!(outcomes, ["returned", "approved"]);
    let once = Ledger { captures: 2, captured: 2 * PRICE, refunds: 1, refunded: PRICE };
    assert_eq!(app.ledger(buyer).await, once);
    app.stop().await;
}

#[tokio::test]
async fn money_of_a_declined_attempt_pays_while_nothing_else_does() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    app.captures_late(buyer).await;
    app.provider_calls(buyer).await;
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    let since = tokio::time::Instant::now();
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    assert!(since.elapsed() < Duration::from_secs(30));
    app.stop().await;
}

#[tokio::test]
async fn money_of_a_declined_attempt_that_the_next_one_finds_pays_once() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    app.captures_late(buyer).await;
    let capture = "INSERT INTO simulated_gateway.intent (id, fate, charge_key, at)
                   SELECT intent, 'captured', key, now() FROM simulated_gateway.charge WHERE intent = $1";
    sqlx::query(capture).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    // The webhook comes only now.
    app.provider_calls(buyer).await;
    app.all_webhooks_taken().await;
    let looked_up = "SELECT count(*) FROM payments.payment WHERE look_up";
    eventually(async || app.number(looked_up).await).is(0).await;
    let payment = app.becomes(buyer, "succeeded").await;
    let outcomes = [0, 1].map(|number| payment["attempts"][number]["outcome"].clone());
    assert_eq!(outcomes, ["approved", "declined"]);
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.stop().await;
}
