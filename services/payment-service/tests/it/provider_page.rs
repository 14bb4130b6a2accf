//! The page of the simulated provider: a person approves or declines, and its webhook says so.

use karcis_testkit::{Answer, Ledger, eventually};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    harness::{Buyer, PRICE, PaymentAnswer, TestApp},
    provider::ASKS_AGAIN,
};

/// A buyer who was sent to the provider's page, and that page's URL.
async fn is_sent_away(app: &TestApp) -> (Buyer, String) {
    let buyer = app.buyer().await;
    let waiting = app.pay(buyer, "tok_action_required").await;
    let waiting = waiting.shows_payment(202, "action_required");
    let action = &waiting.body["next_action"];
    assert_eq!(action["kind"], "redirect");
    assert!(action["expires_at"].is_string());
    (buyer, action["url"].as_str().unwrap().to_owned())
}

async fn page(url: &str) -> String {
    let page = Answer::to(Client::new().get(url)).await.is(200);
    let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
    assert!(header("content-type").starts_with("text/html"));
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(header("cache-control"), "no-store");
    page.body.as_str().unwrap().to_owned()
}

/// Presses a button of the page.
async fn press(url: &str, decision: &str) -> Answer {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let form = "application/x-www-form-urlencoded";
    let request = client.post(url).header("Content-Type", form);
    Answer::to(request.body(format!("decision={decision}"))).await
}

#[tokio::test]
async fn who_approves_has_paid() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let (buyer, url) = is_sent_away(&app).await;
    let before = page(&url).await;
    assert!(before.contains("IDR 750000") && before.contains("Approve"), "{before}");
    let pressed = press(&url, "approve").await.is(303);
    assert!(url.ends_with(pressed.headers["location"].to_str().unwrap()));
    app.told(buyer, &["Requested", "Succeeded"]).await;
    let after = page(&url).await;
    assert!(after.contains("It is paid") && !after.contains("<form"), "{after}");
    for decision in ["decline", "approve"] {
        press(&url, decision).await.is(303);
    }
    app.all_webhooks_taken().await;
    assert_eq!(app.payment(buyer).await["status"], "succeeded");
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn who_declines_can_pay_in_another_way() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let (buyer, url) = is_sent_away(&app).await;
    press(&url, "decline").await.is(303);
    let payment = app.becomes(buyer, "open").await;
    assert_eq!(payment["attempts"][0]["decline_code"], "action_declined");
    assert_eq!(payment["next_action"], Value::Null);
    press(&url, "approve").await.is(303);
    assert!(page(&url).await.contains("It is not paid"));

    let again = app.pay(buyer, "tok_action_required").await;
    again.shows_payment(202, "action_required");
    press(&url, "approve").await.is(303);
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn who_does_nothing_can_pay_in_another_way_once_the_time_is_over() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let (buyer, url) = is_sent_away(&app).await;
    let expire = "UPDATE simulated_gateway.charge SET due_at = now() WHERE intent = $1";
    sqlx::query(expire).bind(buyer.booking.0).execute(app.environment.superuser()).await.unwrap();
    let payment = app.becomes(buyer, "open").await;
    assert_eq!(payment["attempts"][0]["decline_code"], "action_expired");
    press(&url, "approve").await.is(303);
    assert!(!page(&url).await.contains("<form"));
    app.pay(buyer, "tok_approved").await.shows_payment(200, "succeeded");
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn who_approves_after_the_cancel_pays_nothing() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let (buyer, url) = is_sent_away(&app).await;
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    assert!(page(&url).await.contains("too late"));
    press(&url, "approve").await.is(303);
    app.all_webhooks_taken().await;
    assert_eq!(app.ledger(buyer).await, Ledger::default());
    app.told(buyer, &["Requested", "Cancelled"]).await;
    app.stop().await;
}

#[tokio::test]
async fn a_webhook_that_nobody_takes_is_sent_again() {
    let mut app = TestApp::start_with(&ASKS_AGAIN).await;
    let (buyer, _) = is_sent_away(&app).await;
    app.is_settled().await;
    app.kill();
    app.approves(buyer).await;
    app.provider_calls(buyer).await;
    app.start_instance_with(&["--webhook-url", "http://127.0.0.1:1/payment/status"]).await;
    let tries = "SELECT max(tries)::bigint FROM simulated_gateway.webhook";
    eventually(async || app.number(tries).await > 1).is(true).await;
    app.told(buyer, &["Requested"]).await;
    app.stop_instance().await;
    app.start_instance_with(&ASKS_AGAIN).await;
    app.told(buyer, &["Requested", "Succeeded"]).await;
    app.all_webhooks_taken().await;
    app.stop().await;
}

#[tokio::test]
async fn an_account_or_a_code_leads_to_the_same_page() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    for (method, kind, value) in
        [("tok_virtual_account", "virtual_account", "number"), ("tok_qr", "qr", "text")]
    {
        let buyer = app.buyer().await;
        let waiting = app.pay(buyer, method).await.shows_payment(202, "action_required");
        let action = waiting.body["next_action"].clone();
        assert_eq!(action["kind"], kind);
        assert!(action[value].as_str().is_some_and(|value| value.len() >= 16), "{action}");
        assert_eq!(app.payment(buyer).await["next_action"], action);
        let url = app.url(&format!("/simulated-provider/{}", buyer.booking));
        press(&url, "approve").await.is(303);
        app.told(buyer, &["Requested", "Succeeded"]).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn the_page_is_no_part_of_the_api() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    for path in ["/", "/openapi.json"] {
        let listed = app.get(path).send().await.unwrap().text().await.unwrap();
        assert!(!listed.contains("simulated-provider"), "{path} names it");
    }
    let (buyer, url) = is_sent_away(&app).await;
    let unknown = url.replace(&buyer.booking.to_string(), &Buyer::new().booking.to_string());
    Answer::to(Client::new().get(&unknown)).await.is_problem(404, "not-found");
    press(&unknown, "approve").await.is_problem(404, "not-found");
    press(&url, "maybe").await.is_about("decision");
    let other = url.replace(&buyer.booking.to_string(), "7");
    Answer::to(Client::new().get(&other)).await.is_problem(404, "not-found");
    assert_eq!(app.payment(buyer).await["attempts"][0]["outcome"], json!(null));
    app.stop().await;
}
