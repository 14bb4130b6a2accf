//! A payment that somebody keeps locked: the others go on, and that one is done later. A charge of the provider's
//! that somebody keeps locked is not half captured.

use std::time::Duration;

use karcis_testkit::{Ledger, eventually, together};
use tokio::time::Instant;

use crate::{
    harness::{Buyer, HASTY, PRICE, PaymentAnswer, TestApp},
    provider::{
        CAPTURE, FIRST_SECRET, RETURNED, SHORT_CLAIMS, WITH_SECRETS, about, locked_while_asked,
        pays_too_late, signature,
    },
};

/// How long the others may take.
const A_MOMENT: Duration = Duration::from_secs(10);

async fn open(app: &TestApp) -> Vec<Buyer> {
    let buyers: Vec<Buyer> = (0..21).map(|_| Buyer::new()).collect();
    app.send_all(buyers.iter().map(|buyer| buyer.request().into()).collect()).await;
    for buyer in &buyers {
        app.told(*buyer, &["Requested"]).await;
    }
    buyers
}

/// How many payments have this status.
async fn count(app: &TestApp, status: &str) -> i64 {
    let count = "SELECT count(*) FROM payments.payment WHERE status = $1";
    let counting = sqlx::query_scalar(count).bind(status);
    counting.fetch_one(app.environment.superuser()).await.unwrap()
}

#[tokio::test]
async fn a_locked_payment_holds_up_no_command_and_no_request_of_others() {
    let app = TestApp::start().await;
    let (paying, cancelling) = (open(&app).await, open(&app).await);
    let mut locking = app.environment.superuser().begin().await.unwrap();
    let lock = "SELECT FROM payments.payment WHERE booking_id = ANY($1) FOR UPDATE";
    let locked = vec![paying[0].booking.0, cancelling[0].booking.0];
    let locked = sqlx::query(lock).bind(locked).execute(&mut *locking).await.unwrap();
    assert_eq!(locked.rows_affected(), 2);

    let since = Instant::now();
    app.send_all(cancelling.iter().map(|buyer| buyer.cancel().into()).collect()).await;
    let refused = app.pay(paying[0], "tok_approved");
    let paid = together(20, paying[1..].iter().map(|buyer| app.pay(*buyer, "tok_approved")));
    let others = async {
        for answer in paid.await {
            answer.is(200);
        }
        eventually(|| count(&app, "cancelled")).is(20).await;
        since.elapsed()
    };
    let (refused, took) = tokio::join!(refused, others);
    assert!(took < A_MOMENT, "it took {took:?}");
    refused.is_problem(503, "unavailable");
    assert_eq!((count(&app, "succeeded").await, count(&app, "open").await), (20, 2));
    locking.rollback().await.unwrap();
    app.told(cancelling[0], &["Requested", "Cancelled"]).await;
    app.pay(paying[0], "tok_approved").await.is(200);
    app.stop().await;
}

#[tokio::test]
async fn the_provider_captures_and_answers_in_one_step() {
    let app = TestApp::start_with(&HASTY).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_slow").await.shows_payment(202, "processing");
    let mut locking = app.environment.superuser().begin().await.unwrap();
    let lock = "SELECT FROM simulated_gateway.charge WHERE intent = $1 FOR UPDATE";
    let locked = sqlx::query(lock).bind(buyer.booking.0).execute(&mut *locking).await.unwrap();
    assert_eq!(locked.rows_affected(), 1);
    // A death here would leave what is captured without its answer.
    const ANSWERING: &str =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE '%UPDATE charge c%'";
    eventually(async || app.number(ANSWERING).await > 0).is(true).await;
    let captured = "SELECT count(*) FROM simulated_gateway.intent WHERE id = $1";
    assert_eq!(app.number_of(buyer, captured).await, 0);
    locking.rollback().await.unwrap();
    app.becomes(buyer, "succeeded").await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn a_payment_that_is_locked_while_the_provider_is_asked_holds_up_no_other_and_is_asked_again()
{
    let app = TestApp::start_with(&SHORT_CLAIMS).await;
    let (locked, other) = (pays_too_late(&app).await, pays_too_late(&app).await);
    let mut webhook = locked_while_asked(&app, locked, other, None).await;
    // The money comes after that answer, and a webhook says so.
    sqlx::query(CAPTURE).bind(locked.booking.0).execute(&mut *webhook).await.unwrap();
    let ask_soon = "UPDATE payments.payment SET next_try = clock_timestamp(), look_up = true
                    WHERE booking_id = $1";
    sqlx::query(ask_soon).bind(locked.booking.0).execute(&mut *webhook).await.unwrap();
    webhook.commit().await.unwrap();
    app.told(locked, &RETURNED).await;
    assert_eq!(app.ledger(locked).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn webhooks_about_a_locked_payment_hold_up_no_webhook_about_others() {
    let app = TestApp::start_with(&WITH_SECRETS).await;
    let (locked, other) = (app.buyer().await, app.buyer().await);
    for buyer in [locked, other] {
        app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    }
    let mut locking = app.environment.superuser().begin().await.unwrap();
    let lock = "SELECT FROM payments.payment WHERE booking_id = $1 FOR UPDATE";
    sqlx::query(lock).bind(locked.booking.0).execute(&mut *locking).await.unwrap();
    let body = about(locked);
    let signed = signature(FIRST_SECRET, 0, &body);
    let refused = together(40, (0..40).map(|_| app.webhook(&signed, &*body)));
    let others = async {
        for _ in 0..40 {
            app.sends_webhook(other).await;
        }
    };
    let (refused, ()) = tokio::join!(refused, others);
    for answer in refused {
        answer.is_problem(503, "unavailable");
    }
    locking.rollback().await.unwrap();
    app.sends_webhook(locked).await;
    app.stop().await;
}
