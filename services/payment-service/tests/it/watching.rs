//! A payment followed live, as Server-Sent Events.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use crate::harness::{Buyer, PaymentAnswer, TestApp};

/// The events of a stream that has ended: each one's id and payment.
fn events(text: &str) -> Vec<(i64, Value)> {
    let field = |event: &str, name: &str| {
        let lines = event.lines();
        lines.filter_map(|line| line.strip_prefix(name)).map(str::to_owned).next().unwrap()
    };
    text.split("\n\n")
        .filter(|event| event.contains("data: "))
        .map(|event| {
            let id = field(event, "id: ").parse().unwrap();
            (id, serde_json::from_str(&field(event, "data: ")).unwrap())
        })
        .collect()
}

/// The buyer's stream, after the version they have seen.
pub(crate) async fn open(app: &TestApp, buyer: Buyer, seen: i64) -> Response {
    let response = ask(app, buyer, seen).await;
    assert_eq!(response.status(), 200);
    response
}

async fn ask(app: &TestApp, buyer: Buyer, seen: i64) -> Response {
    let request = app
        .get(&format!("/payment/status?booking_id={}", buyer.booking))
        .bearer_auth(app.token(buyer))
        .header("Accept", "text/event-stream")
        .header("Last-Event-ID", seen.to_string())
        .timeout(Duration::from_secs(100));
    request.send().await.unwrap()
}

async fn watch(app: &TestApp, buyer: Buyer, seen: i64) -> String {
    open(app, buyer, seen).await.text().await.unwrap()
}

#[tokio::test]
async fn a_stream_shows_each_state_and_ends_with_the_last() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let pay = async {
        app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
        app.send(buyer.refund()).await;
    };
    let (text, ()) = tokio::join!(watch(&app, buyer, 0), pay);
    let events = events(&text);
    let ids: Vec<i64> = events.iter().map(|(id, _)| *id).collect();
    assert!(ids.is_sorted() && !ids.is_empty(), "{ids:?}");
    let (last_id, last) = events.last().unwrap();
    assert_eq!(last["status"], "refunded");
    assert_eq!(last["version"], *last_id);
    assert_eq!(*last, app.payment(buyer).await);
}

#[tokio::test]
async fn a_client_that_has_seen_the_last_state_is_not_told_again() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    app.send(buyer.cancel()).await;
    let payment = app.becomes(buyer, "cancelled").await;
    let seen = payment["version"].as_i64().unwrap();
    assert_eq!(ask(&app, buyer, seen).await.status(), 204, "a browser does not connect again");
    assert_eq!(events(&watch(&app, buyer, seen - 1).await), [(seen, payment)]);
}

#[tokio::test]
async fn a_payment_that_is_known_is_not_sent_again() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let known = async |tag: &str| {
        let request = app
            .get(&format!("/payment/status?booking_id={}", buyer.booking))
            .bearer_auth(app.token(buyer))
            .header("If-None-Match", tag);
        request.send().await.unwrap()
    };
    let first = known("").await;
    assert_eq!(first.status(), 200);
    let tag = first.headers()["etag"].to_str().unwrap();
    assert_eq!(known(tag).await.status(), 304);
    app.send(buyer.cancel()).await;
    app.becomes(buyer, "cancelled").await;
    assert_eq!(known(tag).await.status(), 200);
}

#[tokio::test]
async fn nobody_watches_what_is_somebody_elses() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let request = app
        .get(&format!("/payment/status?booking_id={}", buyer.booking))
        .bearer_auth(app.token(Buyer::new()))
        .header("Accept", "text/event-stream");
    assert_eq!(request.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_buyer_watches_at_most_twenty_payments_at_once() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let mut watching = Vec::new();
    for _ in 0..20 {
        watching.push(open(&app, buyer, 0).await);
    }
    let request = app
        .get(&format!("/payment/status?booking_id={}", buyer.booking))
        .bearer_auth(app.token(buyer))
        .header("Accept", "text/event-stream");
    assert_eq!(request.send().await.unwrap().status(), 429);
}
