//! Whatever dies in the middle of a charge, its outcome is found out and the money is taken once.

use std::time::Duration;

use futures_util::future::{join, join_all};
use karcis_kernel::UserId;
use karcis_process::now;
use karcis_schemas::PAYMENTS;
use karcis_testkit::{Ledger, eventually};
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Buyer, HASTY, PRICE, PaymentAnswer, TestApp};

/// What a crashed service leaves: an attempt without an outcome, begun longer ago than even a patient
/// service waits.
async fn leave_unresolved(app: &TestApp, buyer: Buyer, method: &str, cancel_wanted: bool) -> Uuid {
    let attempt = Uuid::now_v7();
    let UserId(user) = buyer.user;
    sqlx::query(
        "INSERT INTO payments.payment (booking_id, payment_id, user_id, amount, currency, pay_by,
             status, cancel_wanted, version)
         VALUES ($1, $2, $3, $4, 'IDR', now() + interval '15 min', 'processing', $5, 2)",
    )
    .bind(buyer.booking.0)
    .bind(Uuid::now_v7())
    .bind(user)
    .bind(PRICE)
    .bind(cancel_wanted)
    .execute(app.environment.superuser())
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO payments.attempt (booking_id, id, at, method) VALUES ($1, $2, $3, $4)",
    )
    .bind(buyer.booking.0)
    .bind(attempt)
    .bind(now() - Duration::from_secs(3_600))
    .bind(method)
    .execute(app.environment.superuser())
    .await
    .unwrap();
    attempt
}

/// What the provider has in its books of a charge that was captured.
async fn captured_at_the_provider(app: &TestApp, buyer: Buyer, attempt: Uuid) {
    sqlx::query(
        "WITH charged AS (
             INSERT INTO simulated_gateway.charge (key, intent, amount, currency, method, asked_at,
                 due_at, answer)
             VALUES ($1, $2, $3, 'IDR', 'tok_approved', now(), now(), 'captured')
         )
         INSERT INTO simulated_gateway.intent (id, fate, charge_key, at)
         VALUES ($2, 'captured', $1, now())",
    )
    .bind(format!("charge/{attempt}"))
    .bind(buyer.booking.0)
    .bind(PRICE)
    .execute(app.environment.superuser())
    .await
    .unwrap();
}

#[tokio::test]
async fn a_charge_whose_outcome_was_never_stored_is_found_and_not_repeated() {
    let mut app = TestApp::without_instance().await;
    let buyer = Buyer::new();
    let attempt = leave_unresolved(&app, buyer, "tok_approved", false).await;
    captured_at_the_provider(&app, buyer, attempt).await;
    app.start_instance().await;
    app.told(buyer, &["Succeeded"]).await;
    app.becomes(buyer, "succeeded").await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn a_charge_that_never_reached_the_provider_is_made_with_the_same_key() {
    let mut app = TestApp::without_instance().await;
    let buyer = Buyer::new();
    let attempt = leave_unresolved(&app, buyer, "tok_approved", false).await;
    app.start_instance().await;
    app.told(buyer, &["Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    let keys: Vec<String> =
        sqlx::query_scalar("SELECT key FROM simulated_gateway.charge WHERE intent = $1")
            .bind(buyer.booking.0)
            .fetch_all(app.environment.superuser())
            .await
            .unwrap();
    assert_eq!(keys, [format!("charge/{attempt}")]);
}

#[tokio::test]
async fn a_declined_charge_whose_outcome_was_never_stored_leaves_the_payment_open() {
    let mut app = TestApp::without_instance().await;
    let buyer = Buyer::new();
    leave_unresolved(&app, buyer, "tok_insufficient_funds", false).await;
    app.start_instance().await;
    let payment = app.becomes(buyer, "open").await;
    assert_eq!(payment["attempts_left"], 2);
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
}

#[tokio::test]
async fn an_unresolved_charge_that_is_not_wanted_any_more_is_voided() {
    let mut app = TestApp::without_instance().await;
    let buyer = Buyer::new();
    leave_unresolved(&app, buyer, "tok_approved", true).await;
    app.start_instance().await;
    app.told(buyer, &["Cancelled"]).await;
    let payment = app.becomes(buyer, "cancelled").await;
    assert_eq!(payment["attempts"][0]["outcome"], "voided");
    assert_eq!(app.ledger(buyer).await, Ledger::default());
}

#[tokio::test]
async fn money_that_came_before_the_cancel_makes_the_payment_succeed() {
    let mut app = TestApp::without_instance().await;
    let buyer = Buyer::new();
    let attempt = leave_unresolved(&app, buyer, "tok_approved", true).await;
    captured_at_the_provider(&app, buyer, attempt).await;
    app.start_instance().await;
    app.told(buyer, &["Succeeded"]).await;
    app.becomes(buyer, "succeeded").await;
    app.send(buyer.refund()).await;
    app.told(buyer, &["Succeeded", "Refunded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
}

#[tokio::test]
async fn a_service_killed_in_the_middle_of_a_charge_finishes_it_when_it_is_back() {
    let mut app =
        TestApp::start_with(&["--provider-wait-ms", "200", "--provider-timeout-ms", "3000"]).await;
    let buyer = app.buyer().await;
    let thinking = app.bank_thinks().await;
    app.pay_with(buyer, "tok_slow", Some("once")).await.shows_payment(202, "processing");
    app.is_settled().await;
    app.kill();
    thinking.rollback().await.unwrap();
    // It asks again about what has no outcome after a second.
    app.start_instance_with(&["--provider-timeout-ms", "1000"]).await;
    app.becomes(buyer, "succeeded").await;
    app.environment.all_sent(PAYMENTS).await;
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    let again = app.pay_with(buyer, "tok_slow", Some("once")).await;
    let again = again.shows_payment(202, "succeeded");
    assert!(again.is_replayed());
}

#[tokio::test]
async fn a_service_killed_while_it_refunds_finishes_it_when_it_is_back() {
    let mut app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.stop_instance().await;
    // The provider has given the money back, but the service did not live to hear of it.
    sqlx::query(
        "WITH refunded AS (
             INSERT INTO simulated_gateway.refund (key, intent, amount, currency, at)
             VALUES ($2, $1, $3, 'IDR', now())
         )
         UPDATE payments.payment SET status = 'refunding', version = version + 1
         WHERE booking_id = $1",
    )
    .bind(buyer.booking.0)
    .bind(format!("refund/{}", buyer.booking))
    .bind(PRICE)
    .execute(app.environment.superuser())
    .await
    .unwrap();
    app.start_instance().await;
    app.told(buyer, &["Requested", "Succeeded", "Refunded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
}

#[tokio::test]
async fn money_that_came_too_late_goes_back_and_is_told_as_returned() {
    let mut app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.stop_instance().await;
    // As if the provider had said no, the payment was cancelled, and then the money came.
    let late = "WITH attempt AS (UPDATE payments.attempt SET outcome = 'returning'
                                 WHERE booking_id = $1)
                UPDATE payments.payment SET status = 'cancelled' WHERE booking_id = $1";
    sqlx::query(late).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
    app.start_instance().await;
    app.told(buyer, &["Requested", "Succeeded", "Returned"]).await;
    let payment = app.payment(buyer).await;
    assert_eq!(
        (&payment["status"], &payment["refunded"]["amount"]),
        (&json!("cancelled"), &json!(PRICE))
    );
    assert_eq!(payment["attempts"][0]["outcome"], "returned");
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
}

#[tokio::test]
async fn a_stop_in_order_lets_a_running_charge_finish() {
    let mut app = TestApp::start_with(&HASTY).await;
    let buyer = app.buyer().await;
    let thinking = app.bank_thinks().await;
    app.pay(buyer, "tok_approved").await.shows_payment(202, "processing");
    // The stop is asked for first.
    let ((), decided) = join(app.stop_instance(), thinking.rollback()).await;
    decided.unwrap();
    let status: String =
        sqlx::query_scalar("SELECT status FROM payments.payment WHERE booking_id = $1")
            .bind(buyer.booking.0)
            .fetch_one(app.environment.superuser())
            .await
            .unwrap();
    assert_eq!(status, "succeeded");
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn two_instances_that_find_the_same_attempts_take_the_money_once() {
    let mut app = TestApp::without_instance().await;
    let buyers: Vec<Buyer> = (0..30).map(|_| Buyer::new()).collect();
    for buyer in &buyers {
        leave_unresolved(&app, *buyer, "tok_approved", false).await;
    }
    app.start_instance().await;
    app.start_instance().await;
    for buyer in &buyers {
        app.told(*buyer, &["Succeeded"]).await;
        assert_eq!(app.ledger(*buyer).await, Ledger::captured_once(PRICE));
    }
    app.stop().await;
}

#[tokio::test]
async fn two_instances_asked_at_once_take_the_money_once() {
    let mut app = TestApp::start().await;
    app.start_instance().await;
    app.is_settled().await;
    let mut buyers = Vec::new();
    for round in 0..20 {
        let buyer = app.buyer().await;
        buyers.push(buyer);
        let with_one_key = round % 2 == 0;
        let keys: Vec<String> =
            (0..10).map(|n| format!("key-{}", if with_one_key { 0 } else { n })).collect();
        let calls = keys
            .iter()
            .enumerate()
            .map(|(n, key)| app.pay_at(n % 2, buyer, "tok_approved", Some(key)));
        let answers = join_all(calls).await;
        assert!(answers.iter().any(|answer| answer.status == 200));
        for answer in answers {
            let answer = match answer.status.as_u16() {
                200 => answer.shows_payment(200, "succeeded"),
                _ => answer.is_problem(409, "attempt-unresolved"),
            };
            assert!(!with_one_key || answer.status == 200, "{}", answer.body);
        }
        assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
        assert_eq!(app.payment(buyer).await["attempts"].as_array().map(Vec::len), Some(1));
    }
    app.environment.all_sent(PAYMENTS).await;
    for buyer in buyers {
        app.told(buyer, &["Requested", "Succeeded"]).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn connections_that_break_in_the_middle_lose_nothing_and_charge_nobody_twice() {
    // Who does not hear of a charge asks again after a second.
    let app = TestApp::start_with(&["--provider-timeout-ms", "1000"]).await;
    let mut buyers = Vec::new();
    for _ in 0..40 {
        buyers.push(app.buyer().await);
    }
    app.is_settled().await;
    let breaking = async {
        let mut broken = 0;
        // Until plenty have broken, with time between in which some get through.
        while broken < 40 {
            let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                             WHERE datname = current_database()
                                 AND usename IN ('karcis_payment', 'karcis_simulated_gateway')";
            let ended = sqlx::query(terminate).execute(app.environment.superuser()).await.unwrap();
            broken += ended.rows_affected();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let paying = join_all(buyers.iter().map(async |buyer| {
        let key = buyer.booking.to_string();
        eventually(async || {
            let answer = app.pay_with(*buyer, "tok_approved", Some(&key)).await;
            match answer.status.as_u16() {
                200 => Ok(()),
                // Once answered "processing" a key stays so: what became of it shows the payment.
                202 if answer.body["status"] == "succeeded" => Ok(()),
                202 | 503 => Err(answer.body),
                _ => panic!("{}", answer.body),
            }
        })
        .within(Duration::from_secs(300))
        .await;
    }));
    join(paying, breaking).await;
    app.environment.all_sent(PAYMENTS).await;
    for buyer in buyers {
        app.becomes(buyer, "succeeded").await;
        assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
        assert_eq!(app.payment(buyer).await["attempts"].as_array().map(Vec::len), Some(1));
        app.told(buyer, &["Requested", "Succeeded"]).await;
    }
    app.stop().await;
}
