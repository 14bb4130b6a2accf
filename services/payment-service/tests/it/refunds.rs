//! Refunds: all that was captured goes back, once.

use karcis_contracts::PaymentFact;
use karcis_testkit::{Ledger, eventually};

use crate::desk::{Buyer, Desk, PRICE};

#[tokio::test]
async fn a_refund_gives_the_money_back_once_however_often_it_is_asked_for() {
    let desk = Desk::open().await;
    let buyer = desk.buyer().await;
    desk.pay(buyer, "tok_approved").await.is_payment(200, "succeeded");
    desk.send_all(vec![buyer.refund().into(); 5]).await;
    let payment = desk.becomes(buyer, "refunded").await;
    assert_eq!(payment["captured"]["amount"], PRICE);
    assert_eq!(payment["refunded"]["amount"], PRICE);
    desk.send(buyer.refund()).await;
    let refunds = || async {
        let facts = desk.facts(buyer);
        let refunds = facts.iter().filter_map(|fact| match fact {
            PaymentFact::PaymentRefunded(told) => Some(told.refunded.amount),
            _ => None,
        });
        let refunds: Vec<i64> = refunds.collect();
        if refunds.len() >= 2 { Ok(refunds) } else { Err(facts) }
    };
    assert!(eventually(refunds).await.iter().all(|amount| *amount == PRICE));
    assert_eq!(desk.ledger(buyer).await, Ledger::refunded_once(PRICE));
    assert_eq!(desk.payment(buyer).await["version"], payment["version"]);
    desk.pay(buyer, "tok_approved").await.is_problem(409, "payment-closed");
    desk.is_clean().await;
}

#[tokio::test]
async fn many_refunds_are_given_together() {
    let desk = Desk::open().await;
    let buyers: Vec<Buyer> = (0..60).map(|_| Buyer::new()).collect();
    desk.send_all(buyers.iter().map(|buyer| buyer.request().into()).collect()).await;
    for buyer in &buyers {
        desk.told(*buyer, &["Requested"]).await;
        desk.pay(*buyer, "tok_approved").await.is_payment(200, "succeeded");
    }
    desk.send_all(buyers.iter().map(|buyer| buyer.refund().into()).collect()).await;
    for buyer in &buyers {
        desk.told(*buyer, &["Requested", "Succeeded", "Refunded"]).await;
        assert_eq!(desk.ledger(*buyer).await, Ledger::refunded_once(PRICE));
    }
}

#[tokio::test]
async fn a_refund_of_money_that_never_came_alerts_and_changes_nothing() {
    let desk = Desk::open().await;
    let never = Buyer::new();
    let open = desk.buyer().await;
    let before = desk.payment(open).await;
    desk.send_all(vec![never.refund().into(), open.refund().into()]).await;
    // What comes after it on the same keys has been taken, so the refunds have been, too.
    desk.send_all(vec![never.request().into(), open.request().into()]).await;
    desk.told(never, &["Requested"]).await;
    desk.told(open, &["Requested", "Requested"]).await;
    assert_eq!(desk.payment(open).await, before);
    // They are counted a moment after what was taken with them is told.
    let alerts = async || {
        let metrics = desk.get("/metrics").send().await.unwrap().text().await.unwrap();
        let alerts = metrics.lines().find(|line| line.starts_with("karcis_payment_alerts_total"));
        alerts.map_or(0, |alerts| alerts.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
    };
    eventually(async || alerts().await >= 2).is(true).await;
    desk.is_clean().await;
}
