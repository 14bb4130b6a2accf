//! The provider's webhooks: only those that it has signed are taken, and they only have it asked.

use karcis_testkit::{Answer, Ledger, eventually};

use crate::{
    harness::{Buyer, HASTY, PRICE, PaymentAnswer, TestApp},
    provider::{FIRST_SECRET, SECOND_SECRET, WITH_SECRETS, about, signature},
};

/// How many payments the provider is still to be asked about because of a webhook.
const LOOKED_UP: &str = "SELECT count(*) FROM payments.payment WHERE look_up";

/// A buyer for whom the bank waits, and who has done what it waits for.
async fn has_approved(app: &TestApp) -> Buyer {
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_action_required").await.shows_payment(202, "action_required");
    app.approves(buyer).await;
    buyer
}

#[tokio::test]
async fn a_webhook_with_any_of_the_secrets_has_the_outcome_found() {
    let app = TestApp::start_with(&WITH_SECRETS).await;
    for secret in [FIRST_SECRET, SECOND_SECRET] {
        let buyer = has_approved(&app).await;
        let body = about(buyer);
        app.webhook(&signature(secret, 0, &body), body).await.is(204);
        app.told(buyer, &["Requested", "Succeeded"]).await;
        assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    }
    // While the provider changes its secret, it signs with both.
    let buyer = has_approved(&app).await;
    let body = about(buyer);
    let other = signature("a secret that is new to us", 0, &body);
    let right = signature(FIRST_SECRET, 0, &body);
    let right = right.split_once(',').unwrap().1;
    app.webhook(&format!("{other},{right}"), body).await.is(204);
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.stop().await;
}

#[tokio::test]
async fn a_webhook_that_is_forged_or_old_is_refused_and_does_nothing() {
    let app = TestApp::start_with(&WITH_SECRETS).await;
    let buyer = has_approved(&app).await;
    app.records_calls().await;
    let body = about(buyer);
    let right = signature(FIRST_SECRET, 0, &body);
    for wrong in [
        signature("a secret of somebody else", 0, &body),
        signature("", 0, &body),
        signature(FIRST_SECRET, -302, &body),
        signature(FIRST_SECRET, 310, &body),
        signature(FIRST_SECRET, 0, &format!("{body} ")),
        signature(FIRST_SECRET, 0, ""),
        right.replace("v1=", "v0="),
        right.replace("t=", "t=1"),
        right[..right.len() - 1].to_owned(),
        "t=,v1=".to_owned(),
    ] {
        let answer = app.webhook(&wrong, body.clone()).await;
        answer.is_problem(401, "wrong-signature");
    }
    let unsigned = app.post("/payment/status").body(body.clone());
    Answer::to(unsigned).await.is_problem(401, "wrong-signature");
    let token = app.post("/payment/status").bearer_auth(app.token(buyer)).body(body);
    Answer::to(token).await.is_problem(401, "wrong-signature");
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(app.calls("charge").await, 0);
    app.told(buyer, &["Requested"]).await;
    app.stop().await;
}

#[tokio::test]
async fn a_huge_webhook_is_refused() {
    let app = TestApp::start_with(&WITH_SECRETS).await;
    let body = " ".repeat(64 * 1024 + 1);
    app.webhook(&signature(FIRST_SECRET, 0, &body), body).await.is_problem(413, "too-large");
    app.stop().await;
}

#[tokio::test]
async fn a_webhook_about_nothing_of_ours_is_taken_and_does_nothing() {
    let app = TestApp::start_with(&WITH_SECRETS).await;
    let untried = app.buyer().await;
    let before = app.payment(untried).await;
    let long = "x".repeat(60_000);
    for body in [
        about(Buyer::new()),
        about(untried),
        "{}".to_owned(),
        r#"{"intent": null}"#.to_owned(),
        r#"{"intent": "7"}"#.to_owned(),
        "[1]".to_owned(),
        "no JSON".to_owned(),
        "\0".to_owned(),
        String::new(),
        long,
    ] {
        app.webhook(&signature(FIRST_SECRET, 0, &body), body).await.is(204);
    }
    assert_eq!(app.payment(untried).await, before);
    assert_eq!(app.number(LOOKED_UP).await, 0);
    app.stop().await;
}

#[tokio::test]
async fn early_repeated_and_late_webhooks_do_no_harm() {
    let flags = [&HASTY[..], &WITH_SECRETS[4..]].concat();
    let app = TestApp::start_with(&flags).await;
    let buyer = app.buyer().await;
    let (body, thinking) = (about(buyer), app.bank_thinks().await);
    let right = signature(FIRST_SECRET, 0, &body);
    // The outcome is not known yet.
    app.pay(buyer, "tok_approved").await.shows_payment(202, "processing");
    for _ in 0..3 {
        app.webhook(&right, body.clone()).await.is(204);
    }
    thinking.rollback().await.unwrap();
    app.told(buyer, &["Requested", "Succeeded"]).await;
    // The same again, as somebody who has heard it may send it.
    for _ in 0..3 {
        app.webhook(&right, body.clone()).await.is(204);
    }
    let payment = app.payment(buyer).await;
    app.send(buyer.refund()).await;
    app.told(buyer, &["Requested", "Succeeded", "Refunded"]).await;
    app.webhook(&right, body.clone()).await.is(204);
    eventually(async || app.number(LOOKED_UP).await).is(0).await;
    app.told(buyer, &["Requested", "Succeeded", "Refunded"]).await;
    assert_eq!(payment["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn a_webhook_that_comes_while_the_money_goes_back_is_looked_at_after_that() {
    let flags = [&HASTY[..], &WITH_SECRETS[4..]].concat();
    let app = TestApp::start_with(&flags).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_approved").await;
    app.becomes(buyer, "succeeded").await;
    let mut books = app.environment.superuser().begin().await.unwrap();
    let lock = "LOCK TABLE simulated_gateway.refund IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *books).await.unwrap();
    app.send(buyer.refund()).await;
    let asked = "SELECT count(*) FROM pg_locks
                 WHERE relation = 'simulated_gateway.refund'::regclass AND NOT granted";
    eventually(async || app.number(asked).await > 0).is(true).await;
    app.sends_webhook(buyer).await;
    books.rollback().await.unwrap();
    app.told(buyer, &["Requested", "Succeeded", "Refunded"]).await;
    eventually(async || app.number(LOOKED_UP).await).is(0).await;
    app.stop().await;
}

#[tokio::test]
async fn a_webhook_that_one_instance_takes_before_it_dies_is_not_lost() {
    let mut app = TestApp::start_with(&WITH_SECRETS).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    app.captures_late(buyer).await;
    app.is_settled().await;
    // Nobody asks the provider while its books are locked.
    let mut books = app.environment.superuser().begin().await.unwrap();
    let lock = "LOCK TABLE simulated_gateway.charge IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *books).await.unwrap();
    app.sends_webhook(buyer).await;
    app.kill();
    books.rollback().await.unwrap();
    app.start_instance_with(&WITH_SECRETS).await;
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn webhooks_are_limited_by_where_they_come_from() {
    let limits = ["--rate-limits", "on", "--rate-limit-per-client-ip", "20/1h"];
    let app = TestApp::start_with(&[&WITH_SECRETS[..], &limits].concat()).await;
    let mut refused = 0;
    for _ in 0..30 {
        let body = about(Buyer::new());
        let answer = app.webhook(&signature(FIRST_SECRET, 0, &body), body).await;
        refused += i32::from(answer.status == 429);
    }
    assert!(refused >= 10, "{refused} of 30");
    app.stop().await;
}
