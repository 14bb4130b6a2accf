//! Refunds: all that was captured goes back, once.

use karcis_contracts::PaymentFact;
use karcis_testkit::{Ledger, eventually};

use crate::harness::{Buyer, PRICE, PaymentAnswer, TestApp};

#[tokio::test]
async fn a_refund_gives_the_money_back_once_however_often_it_is_asked_for() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    app.send_all(vec![buyer.refund().into(); 5]).await;
    let payment = app.becomes(buyer, "refunded").await;
    assert_eq!(payment["captured"]["amount"], PRICE);
    assert_eq!(payment["refunded"]["amount"], PRICE);
    app.send(buyer.refund()).await;
    let refunds = || async {
        let facts = app.facts(buyer);
        let refunds = facts.iter().filter_map(|fact| match fact {
            PaymentFact::PaymentRefunded(told) => Some(told.refunded.amount),
            _ => None,
        });
        let refunds: Vec<i64> = refunds.collect();
        if refunds.len() >= 2 { Ok(refunds) } else { Err(facts) }
    };
    assert!(eventually(refunds).await.iter().all(|amount| *amount == PRICE));
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    assert_eq!(app.payment(buyer).await["version"], payment["version"]);
    app.pay(buyer, "tok_approved").await.is_problem(409, "payment-closed");
    app.stop().await;
}

#[tokio::test]
async fn many_refunds_are_given_together() {
    let app = TestApp::start().await;
    let buyers: Vec<Buyer> = (0..60).map(|_| Buyer::new()).collect();
    app.send_all(buyers.iter().map(|buyer| buyer.request().into()).collect()).await;
    for buyer in &buyers {
        app.told(*buyer, &["Requested"]).await;
        app.pay(*buyer, "tok_approved").await.shows_payment(200, "succeeded");
    }
    app.send_all(buyers.iter().map(|buyer| buyer.refund().into()).collect()).await;
    for buyer in &buyers {
        app.told(*buyer, &["Requested", "Succeeded", "Refunded"]).await;
        assert_eq!(app.ledger(*buyer).await, Ledger::refunded_once(PRICE));
    }
}

#[tokio::test]
async fn a_refund_of_money_that_never_came_alerts_and_changes_nothing() {
    let app = TestApp::start().await;
    let never = Buyer::new();
    let open = app.buyer().await;
    let before = app.payment(open).await;
    app.send_all(vec![never.refund().into(), open.refund().into()]).await;
    // Commands of one booking are taken in order: when these are answered, the refunds were taken.
    app.send_all(vec![never.request().into(), open.request().into()]).await;
    app.told(never, &["Requested"]).await;
    app.told(open, &["Requested", "Requested"]).await;
    assert_eq!(app.payment(open).await, before);
    // The counter rises a moment after the answers.
    eventually(async || app.counter("karcis_payment_alerts_total").await >= 2).is(true).await;
    app.stop().await;
}

#[tokio::test]
async fn a_refused_refund_is_told_once_and_waits_for_an_operator() {
    let app = TestApp::start().await;
    let (buyer, other) = (app.buyer().await, app.buyer().await);
    app.pay(buyer, "tok_refund_refused").await.shows_payment(200, "succeeded");
    app.send(buyer.refund()).await;
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused"]).await;
    let facts = app.facts(buyer);
    let Some(PaymentFact::RefundRefused(told)) = facts.last() else { panic!("{facts:?}") };
    assert_eq!(told.reason, "account_closed");
    let payment = app.payment(buyer).await;
    assert_eq!(payment["status"], "refunding");
    assert_eq!(payment["refunded"]["amount"], 0);
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    // The counter rises a moment after the message; the gauge is measured every 5 s.
    eventually(async || app.counter("karcis_refunds_refused_total").await >= 1).is(true).await;
    eventually(async || app.counter("karcis_refunds_stuck").await).is(1).await;

    // Later refunds go through and leave it as it is.
    app.pay(other, "tok_approved").await.shows_payment(200, "succeeded");
    app.send(other.refund()).await;
    app.becomes(other, "refunded").await;
    assert_eq!(app.payment(buyer).await, payment);
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused"]).await;
    // A repeated command gets the same answer again.
    app.send(buyer.refund()).await;
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused", "RefundRefused"]).await;
    assert_eq!(app.payment(buyer).await, payment);
    app.stop().await;
}

#[tokio::test]
async fn a_refused_reversal_is_not_told_and_waits_for_an_operator() {
    let mut app = TestApp::start().await;
    let (buyer, other) = (app.buyer().await, app.buyer().await);
    app.pay(buyer, "tok_refund_refused").await.shows_payment(200, "succeeded");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.stop_instance().await;
    // As if the provider had said no, the payment was cancelled, and then the money came.
    let late = "WITH attempt AS (UPDATE payments.attempt SET outcome = 'returning'
                                 WHERE booking_id = $1)
                UPDATE payments.payment SET status = 'cancelled' WHERE booking_id = $1";
    sqlx::query(late).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
    app.start_instance().await;
    let refusal = "SELECT reversal_refusal FROM payments.attempt WHERE booking_id = $1";
    let refusal = async || {
        let refusal = sqlx::query_scalar(refusal).bind(buyer.booking.0);
        let refusal: Option<String> = refusal.fetch_one(app.environment.superuser()).await.unwrap();
        refusal
    };
    eventually(refusal).is(Some("account_closed".to_owned())).await;
    let payment = app.payment(buyer).await;
    assert_eq!(payment["status"], "cancelled");
    assert_eq!(payment["attempts"][0]["outcome"], "returning");
    // A restart does not lose it.
    app.stop_instance().await;
    app.start_instance().await;
    eventually(async || app.counter("karcis_refunds_stuck").await).is(1).await;
    app.pay(other, "tok_approved").await.shows_payment(200, "succeeded");
    app.send(other.refund()).await;
    app.becomes(other, "refunded").await;
    assert_eq!(app.payment(buyer).await, payment);
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.stop().await;
}

#[tokio::test]
async fn a_payment_that_is_unreadable_does_not_stop_the_refunds_behind_it() {
    let mut app = TestApp::start().await;
    let (unreadable, other) = (app.buyer().await, app.buyer().await);
    assert!(unreadable.booking < other.booking);
    for buyer in [unreadable, other] {
        app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    }
    app.stop_instance().await;
    let spoil = "UPDATE payments.payment SET status = 'refunding', currency = 'XXX'
                 WHERE booking_id = $1";
    let spoiling = sqlx::query(spoil).bind(unreadable.booking.0);
    spoiling.execute(app.environment.superuser()).await.unwrap();
    app.start_instance().await;
    app.send(other.refund()).await;
    app.becomes(other, "refunded").await;
    assert_eq!(app.ledger(other).await, Ledger::refunded_once(PRICE));
    assert_eq!(app.ledger(unreadable).await, Ledger::captured_once(PRICE));
    app.stop().await;
}
