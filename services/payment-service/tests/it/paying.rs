//! Paying: what each method leads to, and that the money is taken once.

use std::time::Duration;

use futures_util::future::join_all;
use karcis_contracts::PaymentFact;
use karcis_testkit::{Ledger, eventually};
use serde_json::json;

use crate::harness::{Buyer, HASTY, PRICE, PaymentAnswer, TestApp};

#[tokio::test]
async fn an_approved_payment_succeeds_and_is_charged_once() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let paid = app.pay(buyer, "tok_approved").await;
    let paid = paid.shows_payment(200, "succeeded");
    assert_eq!(paid.body["captured"]["amount"], PRICE);
    assert_eq!(paid.body["attempts"][0]["outcome"], "approved");
    assert_eq!(paid.body["attempts"][0]["method"], "tok_approved");
    assert_eq!(paid.body["attempts"][0]["decline_code"], json!(null));
    app.told(buyer, &["Requested", "Succeeded"]).await;
    let [_, PaymentFact::PaymentSucceeded(told)] = &app.facts(buyer)[..] else { panic!() };
    assert_eq!(told.captured.amount, PRICE);

    let again = app.pay(buyer, "tok_approved").await;
    let again = again.shows_payment(200, "succeeded");
    assert_eq!(again.body, paid.body);
    assert!(!again.is_replayed());
    app.send(buyer.request()).await;
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Succeeded", "Succeeded", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn twenty_at_once_under_one_key_are_one_charge_and_one_answer() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let answers =
        join_all((0..20).map(|_| app.pay_with(buyer, "tok_approved", Some("first")))).await;
    let replayed = answers.iter().filter(|answer| answer.is_replayed()).count();
    for answer in answers {
        answer.shows_payment(200, "succeeded");
    }
    assert_eq!(replayed, 19);
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.payment(buyer).await["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn twenty_at_once_without_a_key_or_with_many_are_one_charge() {
    let app = TestApp::start().await;
    for with_keys in [false, true] {
        let buyer = app.buyer().await;
        let keys: Vec<String> = (0..20).map(|n| format!("key-{n}")).collect();
        let calls = keys
            .iter()
            .map(|key| app.pay_with(buyer, "tok_approved", with_keys.then_some(key.as_str())));
        let answers = join_all(calls).await;
        let paid = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(paid >= 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            let answer = answer.is_problem(409, "attempt-unresolved");
            assert!(answer.headers.contains_key("retry-after"));
        }
        assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
        app.told(buyer, &["Requested", "Succeeded"]).await;
    }
}

#[tokio::test]
async fn many_buyers_who_pay_at_once_are_each_charged_once() {
    let app = TestApp::start().await;
    let buyers: Vec<Buyer> = (0..200).map(|_| Buyer::new()).collect();
    app.send_all(buyers.iter().map(|buyer| buyer.request().into()).collect()).await;
    for buyer in &buyers {
        app.told(*buyer, &["Requested"]).await;
    }
    let method = |n: usize| match n % 4 {
        0 => "tok_insufficient_funds",
        1 => "tok_stolen_card",
        _ => "tok_approved",
    };
    let answers =
        join_all(buyers.iter().enumerate().map(|(n, buyer)| app.pay(*buyer, method(n)))).await;
    for (n, (buyer, answer)) in buyers.iter().zip(answers).enumerate() {
        match n % 4 {
            0 | 1 => answer.is_problem(402, "payment-declined"),
            _ => answer.shows_payment(200, "succeeded"),
        };
        let captures = i64::from(n % 4 > 1);
        assert_eq!(app.ledger(*buyer).await.captures, captures);
        match n % 4 {
            0 => app.told(*buyer, &["Requested"]).await,
            1 => app.told(*buyer, &["Requested", "Failed"]).await,
            _ => app.told(*buyer, &["Requested", "Succeeded"]).await,
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn after_three_soft_declines_the_payment_has_failed() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    for (left, status) in [(2, "open"), (1, "open"), (0, "failed")] {
        let declined = app.pay(buyer, "tok_insufficient_funds").await;
        let declined = declined.is_problem(402, "payment-declined");
        assert_eq!(declined.body["decline_code"], "insufficient_funds");
        assert_eq!(declined.body["attempts_left"], left);
        assert_eq!(declined.body["retryable"], left > 0);
        let payment = app.payment(buyer).await;
        assert_eq!(payment["status"], status);
        assert_eq!(declined.body["pay_by"], payment["pay_by"]);
        assert_eq!(payment["attempts_left"], left);
    }
    app.told(buyer, &["Requested", "Failed"]).await;
    let [_, PaymentFact::PaymentFailed(told)] = &app.facts(buyer)[..] else { panic!() };
    assert_eq!(told.decline_code, "insufficient_funds");
    app.pay(buyer, "tok_approved").await.is_problem(409, "payment-closed");
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Failed", "Failed"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::default());
}

#[tokio::test]
async fn a_soft_decline_can_be_followed_by_a_card_that_works() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    let paid = app.pay(buyer, "tok_approved").await;
    let paid = paid.shows_payment(200, "succeeded");
    let outcomes: Vec<_> = paid.body["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| (attempt["outcome"].clone(), attempt["decline_code"].clone()))
        .collect();
    assert_eq!(
        outcomes,
        [(json!("declined"), json!("insufficient_funds")), (json!("approved"), json!(null))]
    );
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn a_stolen_card_fails_the_payment_at_once() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let declined = app.pay(buyer, "tok_stolen_card").await;
    let declined = declined.is_problem(402, "payment-declined");
    assert_eq!(declined.body["decline_code"], "stolen_card");
    assert_eq!(
        (&declined.body["retryable"], &declined.body["attempts_left"]),
        (&json!(false), &json!(0))
    );
    app.told(buyer, &["Requested", "Failed"]).await;
    app.pay(buyer, "tok_approved").await.is_problem(409, "payment-closed");
    assert_eq!(app.payment(buyer).await["status"], "failed");
    assert_eq!(app.ledger(buyer).await, Ledger::default());
}

#[tokio::test]
async fn a_slow_bank_is_answered_with_processing_and_pays_in_the_end() {
    // As a service is by default.
    let app = TestApp::start_with(&[]).await;
    let buyer = app.buyer().await;
    let thinking = app.bank_thinks().await;
    let began = std::time::Instant::now();
    let processing = app.pay(buyer, "tok_slow").await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let processing = processing.shows_payment(202, "processing");
    assert_eq!(processing.body["attempts"][0]["outcome"], json!(null));
    app.pay(buyer, "tok_approved").await.is_problem(409, "attempt-unresolved");
    app.send(buyer.request()).await;
    app.told(buyer, &["Requested", "Requested"]).await;
    thinking.rollback().await.unwrap();
    app.becomes(buyer, "succeeded").await;
    app.told(buyer, &["Requested", "Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_its_charge() {
    // So patient that nobody else looks after the charge while this test runs.
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let thinking = app.bank_thinks().await;
    let request = app
        .post("/payment/process")
        .bearer_auth(app.token(buyer))
        .json(&json!({"booking_id": buyer.booking, "method": "tok_slow"}));
    tokio::select! {
        answer = request.send() => panic!("answered before the bank has: {answer:?}"),
        _ = app.becomes(buyer, "processing") => {}
    }
    // Then the slow bank takes 4 s more, in which it is seen that nobody waits for the answer.
    thinking.rollback().await.unwrap();
    app.becomes(buyer, "succeeded").await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
}

#[tokio::test]
async fn a_cancel_while_the_bank_thinks_voids_the_charge() {
    let app = TestApp::start_with(&HASTY).await;
    let buyer = app.buyer().await;
    let thinking = app.bank_thinks().await;
    app.pay(buyer, "tok_slow").await.shows_payment(202, "processing");
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    thinking.rollback().await.unwrap();
    let payment = app.payment(buyer).await;
    assert_eq!(payment["status"], "cancelled");
    assert_eq!(payment["attempts"][0]["outcome"], "voided");
    // The bank has made up its mind by the time a whole slow charge of somebody else is through.
    let other = app.buyer().await;
    app.pay(other, "tok_slow").await.shows_payment(202, "processing");
    app.becomes(other, "succeeded").await;
    let answers = "SELECT answer FROM simulated_gateway.charge WHERE intent = $1";
    let answers = async || {
        let answers = sqlx::query_scalar(answers).bind(buyer.booking.0);
        let answers: Vec<Option<String>> =
            answers.fetch_all(app.environment.superuser()).await.unwrap();
        answers
    };
    eventually(answers).is(vec![Some("voided".to_owned())]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::default());
    assert_eq!(app.payment(buyer).await, payment);
    app.told(buyer, &["Requested", "Cancelled"]).await;
    app.stop().await;
}

#[tokio::test]
async fn nobody_pays_or_sees_what_is_somebody_elses() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let stranger = Buyer { user: Buyer::new().user, ..buyer };
    let refused = app.pay(stranger, "tok_approved").await;
    let refused = refused.is_problem(404, "not-found");
    assert!(refused.headers.contains_key("retry-after"));
    app.see(buyer, stranger.user).await.is_problem(404, "not-found");
    let unknown = app.pay(Buyer::new(), "tok_approved").await;
    let unknown = unknown.is_problem(404, "not-found");
    assert!(unknown.headers.contains_key("retry-after"));
    assert_eq!(app.ledger(buyer).await, Ledger::default());
}
