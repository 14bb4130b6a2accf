//! Commands over Kafka: each is answered, in any order and however often it comes.

use karcis_contracts::{PaymentCommand, PaymentFact};
use karcis_kernel::{Currency, Money};
use karcis_schemas::{BOOKINGS, PAYMENTS};
use karcis_testkit::eventually;
use serde_json::json;

use crate::harness::{Buyer, PRICE, TestApp};

#[tokio::test]
async fn a_requested_payment_can_be_paid() {
    let app = TestApp::start().await;
    let buyer = Buyer::new();
    app.send(buyer.request()).await;
    app.told(buyer, &["Requested"]).await;

    let payment = app.payment(buyer).await;
    let rupiah = |amount: i64| json!({"amount": amount, "currency": "IDR"});
    assert_eq!(payment["booking_id"], json!(buyer.booking));
    assert_eq!(payment["status"], "open");
    assert_eq!(payment["version"], 1);
    assert_eq!(payment["amount"], rupiah(PRICE));
    assert_eq!((&payment["captured"], &payment["refunded"]), (&rupiah(0), &rupiah(0)));
    assert_eq!((&payment["attempts"], &payment["attempts_left"]), (&json!([]), &json!(3)));
    assert_eq!(payment["next_action"], json!(null));
    let [PaymentFact::PaymentRequested(told)] = &app.facts(buyer)[..] else { panic!() };
    assert_eq!(json!(told.payment_id), payment["payment_id"]);
    assert_eq!(told.amount, Money::new(PRICE, Currency::Idr));
    app.stop().await;
}

#[tokio::test]
async fn a_repeated_request_is_answered_again_and_changes_nothing() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let before = app.payment(buyer).await;
    let mut other = buyer.request();
    other.amount = Money::new(1, Currency::Usd);
    app.send(buyer.request()).await;
    app.send(other).await;
    app.told(buyer, &["Requested", "Requested", "Requested"]).await;
    assert_eq!(app.payment(buyer).await, before);
}

#[tokio::test]
async fn a_cancelled_payment_takes_no_money() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.send(buyer.cancel()).await;
    app.send(buyer.cancel()).await;
    app.send(buyer.request()).await;
    app.told(buyer, &["Requested", "Cancelled", "Cancelled", "Cancelled"]).await;
    let payment = app.payment(buyer).await;
    assert_eq!((&payment["status"], &payment["version"]), (&json!("cancelled"), &json!(2)));
    assert_eq!(payment["attempts_left"], 0);
    app.pay(buyer, "tok_approved").await.is_problem(409, "payment-closed");
    assert_eq!(app.ledger(buyer).await.captures, 0);
}

#[tokio::test]
async fn a_cancel_that_overtakes_its_request_keeps_it_out() {
    let app = TestApp::start().await;
    let buyer = Buyer::new();
    app.send(buyer.cancel()).await;
    app.send(buyer.request()).await;
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Cancelled", "Cancelled", "Cancelled"]).await;
    let ids: Vec<_> = app
        .facts(buyer)
        .into_iter()
        .map(|fact| match fact {
            PaymentFact::PaymentCancelled(told) => told.payment_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    app.pay(buyer, "tok_approved").await.is_problem(404, "not-found");
    app.see(buyer, buyer.user).await.is_problem(404, "not-found");
    app.stop().await;
}

#[tokio::test]
async fn requests_and_cancels_of_many_bookings_are_taken_together() {
    let app = TestApp::without_instance().await;
    let buyers: Vec<Buyer> = (0..400).map(|_| Buyer::new()).collect();
    // All wait in the topic when the service starts, so they come in large batches.
    let commands = buyers.iter().enumerate().flat_map(|(n, buyer)| {
        let mut commands: Vec<PaymentCommand> = vec![buyer.request().into()];
        if n % 2 == 1 {
            commands.push(buyer.cancel().into());
        }
        if n % 4 == 3 {
            commands.push(buyer.request().into());
        }
        commands
    });
    app.send_all(commands.collect()).await;
    eventually(|| app.environment.unsent(BOOKINGS)).is(0).await;
    let mut app = app;
    app.start_instance().await;
    for (n, buyer) in buyers.iter().enumerate() {
        match n % 4 {
            0 | 2 => app.told(*buyer, &["Requested"]).await,
            1 => app.told(*buyer, &["Requested", "Cancelled"]).await,
            _ => app.told(*buyer, &["Requested", "Cancelled", "Cancelled"]).await,
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_request_that_cannot_be_paid_is_dead_lettered_and_the_others_go_on() {
    let app = TestApp::start().await;
    let amounts = [0, -PRICE, i64::MIN, i64::MAX];
    let mut commands: Vec<PaymentCommand> = Vec::new();
    let good = [Buyer::new(), Buyer::new()];
    commands.push(good[0].request().into());
    for amount in amounts {
        let mut request = Buyer::new().request();
        request.amount = Money::new(amount, Currency::Idr);
        commands.push(request.into());
    }
    commands.push(good[1].request().into());
    app.send_all(commands).await;
    for buyer in good {
        app.told(buyer, &["Requested"]).await;
    }
    let dead = || app.environment.dead_letters(PAYMENTS);
    eventually(async || dead().await.len()).is(amounts.len()).await;
    let messages = dead().await;
    assert!(messages.iter().all(|(_, error)| error.contains("from 1 to 10^17")), "{messages:?}");
}
