//! The answer to a COMMIT is lost: what was done counts, and the money is taken once.

use karcis_testkit::{Ledger, eventually};

use crate::harness::{Buyer, PRICE, PaymentAnswer, TestApp};

const OPEN: &str = "INSERT INTO payment";
const CHANGE: &str = "UPDATE payment p";

#[tokio::test]
async fn a_payment_is_asked_for_started_and_decided_once() {
    let (mut app, proxy) = TestApp::losing_commits().await;
    app.start_instance().await;
    let buyer = Buyer::new();
    proxy.lose(OPEN);
    app.send(buyer.request()).await;
    eventually(async || proxy.lost()).is(1).await;
    // Taken once more, the command is answered from what is stored.
    app.told(buyer, &["Requested", "Requested"]).await;
    app.becomes(buyer, "open").await;

    proxy.lose(CHANGE);
    app.pay_with(buyer, "tok_approved", Some("one")).await.shows_payment(200, "succeeded");
    assert_eq!(proxy.lost(), 2);
    let again = app.pay_with(buyer, "tok_approved", Some("one")).await;
    assert!(again.shows_payment(200, "succeeded").is_replayed());
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    assert_eq!(app.payment(buyer).await["attempts"].as_array().map(Vec::len), Some(1));

    app.told(buyer, &["Requested", "Requested", "Succeeded"]).await;
    proxy.lose(CHANGE);
    app.send(buyer.refund()).await;
    app.becomes(buyer, "refunded").await;
    assert_eq!(proxy.lost(), 3);
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn an_outcome_whose_commit_lost_its_answer_is_stored_once() {
    let (mut app, proxy) = TestApp::losing_commits().await;
    app.start_instance().await;
    for method in ["tok_slow", "tok_insufficient_funds"] {
        let buyer = app.buyer().await;
        let before = proxy.lost();
        let thinking = app.bank_thinks().await;
        let paying = async { app.pay_with(buyer, method, Some("one")).await };
        let losing = async {
            // The attempt is stored once the bank is asked.
            app.becomes(buyer, "processing").await;
            proxy.lose(CHANGE);
            thinking.rollback().await.unwrap();
        };
        let (answer, ()) = tokio::join!(paying, losing);
        assert_eq!(proxy.lost(), before + 1, "{method}");
        if method == "tok_slow" {
            answer.shows_payment(200, "succeeded");
            assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
            app.told(buyer, &["Requested", "Succeeded"]).await;
        } else {
            answer.is(402);
            assert_eq!(app.payment(buyer).await["attempts_left"], 2);
        }
    }
    app.stop().await;
}
