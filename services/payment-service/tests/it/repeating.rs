//! The same request again, under one idempotency key.

use std::time::Duration;

use futures_util::future::join;
use karcis_testkit::{Ledger, eventually};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    harness::{Buyer, PRICE, PaymentAnswer, TestApp},
    watching,
};

#[tokio::test]
async fn a_repeated_request_gets_the_same_status_with_the_payment_as_it_is_now() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let key = Some("pay-once");
    app.pay_with(buyer, "tok_approved", key).await.shows_payment(200, "succeeded");
    app.send(buyer.refund()).await;
    app.becomes(buyer, "refunded").await;
    let again = app.pay_with(buyer, "tok_approved", key).await;
    let again = again.shows_payment(200, "refunded");
    assert!(again.is_replayed());
    app.pay(buyer, "tok_approved").await.is_problem(409, "payment-closed");
}

#[tokio::test]
async fn a_repeated_declined_request_is_not_another_attempt() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let key = Some("poor");
    for replayed in [false, true, true] {
        let declined = app.pay_with(buyer, "tok_insufficient_funds", key).await;
        let declined = declined.is_problem(402, "payment-declined");
        assert_eq!(declined.body["attempts_left"], 2);
        assert_eq!(declined.is_replayed(), replayed);
    }
    app.pay_with(buyer, "tok_approved", Some("rich")).await.shows_payment(200, "succeeded");
    let declined = app.pay_with(buyer, "tok_insufficient_funds", key).await;
    let declined = declined.is_problem(402, "payment-declined");
    assert_eq!(declined.body["attempts_left"], 0);
    assert_eq!(app.payment(buyer).await["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_buyer() {
    let app = TestApp::start().await;
    let (buyer, other) = (app.buyer().await, app.buyer().await);
    let key = Some("mine");
    app.pay_with(buyer, "tok_insufficient_funds", key).await.is_problem(402, "payment-declined");
    app.pay_with(buyer, "tok_approved", key).await.is_problem(422, "idempotency-key-reused");
    let second = Buyer { booking: other.booking, ..buyer };
    app.pay_with(second, "tok_approved", key).await.is_problem(422, "idempotency-key-reused");
    // Another buyer's key of the same name is another key.
    app.pay_with(other, "tok_approved", key).await.shows_payment(200, "succeeded");
    assert_eq!(app.ledger(buyer).await, Ledger::default());
}

#[tokio::test]
async fn one_key_for_two_bookings_at_once_pays_only_one() {
    let app = TestApp::start().await;
    for _ in 0..10 {
        let first = app.buyer().await;
        let second = Buyer { user: first.user, ..Buyer::new() };
        app.send(second.request()).await;
        app.told(second, &["Requested"]).await;
        let (one, two) = join(
            app.pay_with(first, "tok_approved", Some("both")),
            app.pay_with(second, "tok_approved", Some("both")),
        )
        .await;
        let (paid, refused) = if one.status == 200 { (one, two) } else { (two, one) };
        paid.shows_payment(200, "succeeded");
        refused.is_problem(422, "idempotency-key-reused");
        let captures = app.ledger(first).await.captures + app.ledger(second).await.captures;
        assert_eq!(captures, 1);
    }
}

#[tokio::test]
async fn a_request_repeated_while_the_first_is_running_waits_and_is_answered_alike() {
    let app = TestApp::start_with(&[]).await;
    let buyer = app.buyer().await;
    let thinking = app.bank_thinks().await;
    let key = Some("slowly");
    let (first, second) =
        join(app.pay_with(buyer, "tok_slow", key), app.pay_with(buyer, "tok_slow", key)).await;
    assert_ne!(first.is_replayed(), second.is_replayed());
    for answer in [first, second] {
        answer.shows_payment(202, "processing");
    }
    thinking.rollback().await.unwrap();
    app.becomes(buyer, "succeeded").await;
    let third = app.pay_with(buyer, "tok_slow", key).await;
    let third = third.shows_payment(202, "succeeded");
    assert!(third.is_replayed());
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn a_repeated_request_hears_of_an_outcome_that_came_while_it_was_read() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let key = Some("twice");
    let thinking = app.bank_thinks().await;
    let first = app.pay_with(buyer, "tok_approved", key);
    let then = async {
        app.becomes(buyer, "processing").await;
        // A stream that is open already shows the outcome; nothing announces it a second time.
        let mut watching = watching::open(&app, buyer, 0).await;
        let mut reading = app.environment.superuser().begin().await.unwrap();
        let lock = "LOCK TABLE payments.idempotency_key";
        sqlx::query(lock).execute(&mut *reading).await.unwrap();
        let outcome = async {
            // It has read the payment, and wants to read its key.
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                           AND datname = current_database() AND usename = 'karcis_payment'";
            let waiting =
                || sqlx::query_scalar::<_, i64>(waiting).fetch_one(app.environment.superuser());
            eventually(async || waiting().await.unwrap()).is(1).await;
            thinking.rollback().await.unwrap();
            let mut seen = String::new();
            while !seen.contains("succeeded") {
                let more = watching.chunk().await.unwrap().unwrap();
                seen.push_str(std::str::from_utf8(&more).unwrap());
            }
            reading.rollback().await.unwrap();
        };
        let repeated = app.pay_with(buyer, "tok_approved", key);
        join(timeout(Duration::from_secs(100), repeated), outcome).await.0.unwrap()
    };
    let (first, repeated) = join(first, then).await;
    first.shows_payment(200, "succeeded");
    let repeated = repeated.shows_payment(200, "succeeded");
    assert!(repeated.is_replayed());
}

#[tokio::test]
async fn a_refused_request_is_not_remembered() {
    let app = TestApp::start().await;
    let buyer = Buyer::new();
    let key = Some("early");
    app.pay_with(buyer, "tok_approved", key).await.is_problem(404, "not-found");
    app.send(buyer.request()).await;
    app.told(buyer, &["Requested"]).await;
    let paid = app.pay_with(buyer, "tok_approved", key).await;
    let paid = paid.shows_payment(200, "succeeded");
    assert!(!paid.is_replayed());
}

#[tokio::test]
async fn a_booking_paid_before_is_answered_under_a_new_key_as_well() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    let key = Some("late");
    app.pay_with(buyer, "tok_approved", key).await.shows_payment(200, "succeeded");
    app.pay_with(buyer, "tok_slow", key).await.is_problem(422, "idempotency-key-reused");
    app.send(buyer.refund()).await;
    app.becomes(buyer, "refunded").await;
    let again = app.pay_with(buyer, "tok_approved", key).await;
    let again = again.shows_payment(200, "refunded");
    assert!(again.is_replayed());
}

#[tokio::test]
async fn a_key_can_be_used_again_after_a_day() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let key = Some("daily");
    app.pay_with(buyer, "tok_insufficient_funds", key).await.is_problem(402, "payment-declined");
    let age = "UPDATE payments.idempotency_key SET used_at = used_at - interval '24 h 1 s'
               WHERE user_id = $1";
    sqlx::query(age).bind(buyer.user.0).execute(app.environment.superuser()).await.unwrap();
    let paid = app.pay_with(buyer, "tok_approved", key).await;
    let paid = paid.shows_payment(200, "succeeded");
    assert!(!paid.is_replayed());
    assert_eq!(paid.body["attempts"].as_array().map(Vec::len), Some(2));
    assert_eq!(paid.body["attempts"][1]["method"], json!("tok_approved"));
}
