//! An operator has the provider asked again, as a webhook would that never came.

use karcis_kernel::{Role, UserId};
use karcis_testkit::{Answer, Ledger, eventually, token};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Buyer, PRICE, TestApp},
    provider::ASKS_AGAIN,
};

const COMPARED: [&str; 4] = ["--reconcile-every-ms", "20", "--reconcile-after-s", "0"];

#[tokio::test]
async fn late_money_whose_webhook_is_lost_is_a_difference_until_an_operator_asks() {
    let app = TestApp::start_with(&[ASKS_AGAIN, COMPARED].concat()).await;
    let operator = UserId(Uuid::now_v7());
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    // It is asked about once by itself, as it leaves its intent open.
    let asked_about = "SELECT count(*) FROM payments.payment WHERE look_up";
    eventually(async || app.number(asked_about).await).is(0).await;
    app.captures_late(buyer).await;
    let differences = async || {
        let list = "/ops/payment/differences";
        app.sees(operator, list).await["items"].as_array().expect("a list").len()
    };
    eventually(differences).is(1).await;
    assert_eq!(
        app.ledger(buyer).await,
        Ledger::captured_once(PRICE),
        "nothing goes back by itself"
    );

    let story = app.asks(operator, buyer).await.is(200).body;
    assert_eq!(story["status"], "cancelled");
    app.told(buyer, &["Requested", "Cancelled", "Returned"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));
    eventually(differences).is(0).await;
    // Once more is harmless.
    app.asks(operator, buyer).await.is(200);
    eventually(async || app.number(asked_about).await).is(0).await;
    assert_eq!(app.ledger(buyer).await, Ledger::refunded_once(PRICE));

    let audit = app.sees(operator, "/ops/payment/audit").await;
    let acts = audit["items"].as_array().expect("a list");
    assert_eq!(acts.len(), 2, "{audit}");
    for act in acts {
        let [action, subject] = [&act["action"], &act["subject_id"]];
        assert_eq!([action, subject], [&json!("ask_provider"), &json!(buyer.booking)]);
        assert_eq!([&act["actor_id"], &act["reason"]], [&json!(operator), &json!("it looks late")]);
    }
    app.stop().await;
}

#[tokio::test]
async fn operators_alone_ask_and_only_about_what_was_tried() {
    let app = TestApp::start().await;
    let operator = UserId(Uuid::now_v7());
    let untried = app.buyer().await;
    app.asks(operator, untried).await.is_problem(409, "nothing-to-ask");
    let never = Buyer::new();
    app.asks(operator, never).await.is_problem(404, "not-found");
    app.send(never.cancel()).await;
    app.told(never, &["Cancelled"]).await;
    app.asks(operator, never).await.is_problem(409, "nothing-to-ask");
    let path = format!("/ops/payment/{}/ask", untried.booking);
    let asks = async |role, body: Value| {
        Answer::to(app.post(&path).bearer_auth(token(operator, role)).json(&body)).await
    };
    asks(Role::Operator, json!({"reason": " "})).await.is_about("reason");
    asks(Role::Buyer, json!({"reason": "why"})).await.is_problem(403, "wrong-role");
    let audit = app.sees(operator, "/ops/payment/audit").await;
    assert_eq!(audit["items"], json!([]));
    app.stop().await;
}

impl TestApp {
    async fn asks(&self, operator: UserId, buyer: Buyer) -> Answer {
        let path = format!("/ops/payment/{}/ask", buyer.booking);
        let ask = self.post(&path).bearer_auth(token(operator, Role::Operator));
        Answer::to(ask.json(&json!({"reason": "it looks late"}))).await
    }

    pub(crate) async fn sees(&self, operator: UserId, path: &str) -> Value {
        let see = self.get(path).bearer_auth(token(operator, Role::Operator));
        Answer::to(see).await.is(200).body
    }
}
