//! What operators see and do of payments that the provider left open.

use karcis_contracts::PaymentFact;
use karcis_kernel::{Role, UserId};
use karcis_testkit::{Answer, Ledger, eventually, token};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Buyer, HASTY, PRICE, PaymentAnswer, TestApp},
    provider::ASKS_AGAIN,
};

pub(crate) const UNKNOWN: &str = "/ops/payment/unknown?older_than_s=0";

#[tokio::test]
async fn an_operator_records_that_the_provider_has_the_money() {
    let app = TestApp::start_with(&HASTY).await;
    let buyer = app.buyer().await;
    let operator = Operator(UserId(Uuid::now_v7()));
    assert_eq!(operator.items(&app, UNKNOWN).await, Vec::<Value>::new());
    let thinking = app.bank_thinks().await;
    app.pay(buyer, "tok_approved").await.shows_payment(202, "processing");

    let [open] = &operator.items(&app, UNKNOWN).await[..] else { panic!("one is open") };
    assert_eq!([&open["booking_id"], &open["what"]], [&json!(buyer.booking), &json!("attempt")]);
    assert_eq!([&open["user_id"], &open["refusal"]], [&json!(buyer.user), &Value::Null]);
    assert_eq!(open["amount"], json!({"amount": PRICE, "currency": "IDR"}));
    let recent = operator.items(&app, "/ops/payment/unknown").await;
    assert_eq!(recent, Vec::<Value>::new(), "it has begun just now");
    let story = operator.story(&app, buyer).await;
    assert_eq!([&story["status"], &story["cancel_wanted"]], [&json!("processing"), &json!(false)]);
    assert_eq!(story["attempts"][0]["attempt_id"], open["attempt_id"]);
    assert!(
        story["waits_for"].as_str().is_some_and(|it| it.ends_with("has no outcome")),
        "{story}"
    );
    assert!(!story.to_string().contains("tok_"), "how a buyer pays is the buyer's business");

    let settled = operator.settles(&app, buyer, "approved").await.is(200).body;
    assert_eq!(
        [&settled["status"], &settled["captured"]["amount"]],
        [&json!("succeeded"), &json!(PRICE)]
    );
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(operator.items(&app, UNKNOWN).await, Vec::<Value>::new());
    operator.settles(&app, buyer, "declined").await.is_problem(409, "nothing-to-settle");
    let again = operator.settles(&app, buyer, "approved").await.is(200).body;
    assert_eq!(again, settled, "it is answered as before");
    // The provider answers after all.
    thinking.rollback().await.expect("the bank goes on");
    eventually(|| app.ledger(buyer)).is(Ledger::captured_once(PRICE)).await;
    app.told(buyer, &["Requested", "Succeeded"]).await;

    let audit = operator.items(&app, "/ops/payment/audit").await;
    let [act] = &audit[..] else { panic!("{audit:?}") };
    assert_eq!(
        [&act["action"], &act["subject_id"]],
        [&json!("settle_payment"), &json!(buyer.booking)]
    );
    assert_eq!(
        [&act["actor_id"], &act["reason"]],
        [&json!(operator.0), &json!("they wrote to us")]
    );
    assert_eq!(act["detail"], "approved, reference pi_42");
    assert!(act["trace_id"].is_string());
    app.stop().await;
}

#[tokio::test]
async fn an_operator_ends_an_attempt_that_the_provider_never_took() {
    let app = TestApp::start_with(&HASTY).await;
    let (declined, voided) = (app.buyer().await, app.buyer().await);
    let operator = Operator(UserId(Uuid::now_v7()));
    // This one waits for its buyer.
    let asked = app.buyer().await;
    app.pay(asked, "tok_action_required").await.is(202);
    app.becomes(asked, "action_required").await;
    let thinking = app.bank_thinks().await;
    for buyer in [declined, voided] {
        app.pay(buyer, "tok_approved").await.shows_payment(202, "processing");
    }
    assert_eq!(operator.items(&app, UNKNOWN).await.len(), 2);
    let first = operator.get(&app, &format!("{UNKNOWN}&limit=1")).await.is(200).body;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = operator.items(&app, &format!("{UNKNOWN}&limit=1&cursor={cursor}")).await;
    let bookings = [&first["items"][0]["booking_id"], &second[0]["booking_id"]];
    assert_eq!(bookings, [&json!(voided.booking), &json!(declined.booking)], "the newest first");

    operator.settles(&app, declined, "declined").await.is(200);
    assert_eq!(app.payment(declined).await["status"], "open", "it can be paid in another way");
    operator.settles(&app, voided, "voided").await.is(200);
    app.told(voided, &["Requested", "Cancelled"]).await;
    drop(thinking);
    app.stop().await;
}

#[tokio::test]
async fn money_that_the_provider_has_counts_although_an_operator_says_declined() {
    let app = TestApp::start_with(&ASKS_AGAIN).await;
    let buyer = app.buyer().await;
    let operator = Operator(UserId(Uuid::now_v7()));
    app.pay(buyer, "tok_answer_lost").await.shows_payment(202, "processing");
    // The charge is not answered again: only the list of captures can tell.
    let thinking = app.bank_thinks().await;
    let settled = operator.settles(&app, buyer, "declined").await.is(200).body;
    assert_eq!(settled["attempts"][0]["decline_code"], "settled_by_operator");
    app.told(buyer, &["Requested", "Succeeded"]).await;
    thinking.rollback().await.expect("the bank goes on");
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn a_refused_refund_is_settled_by_hand_or_asked_for_again() {
    let app = TestApp::start().await;
    let (by_hand, again) = (app.buyer().await, app.buyer().await);
    let operator = Operator(UserId(Uuid::now_v7()));
    for buyer in [by_hand, again] {
        app.pay(buyer, "tok_refund_refused").await.shows_payment(200, "succeeded");
        app.send(buyer.refund()).await;
        app.told(buyer, &["Requested", "Succeeded", "RefundRefused"]).await;
    }
    let open = operator.items(&app, UNKNOWN).await;
    let whats: Vec<_> = open.iter().map(|one| [&one["what"], &one["refusal"]]).collect();
    assert_eq!(whats, [[&json!("refund"), &json!("account_closed")]; 2]);
    assert_eq!([&open[0]["attempt_id"], &open[0]["age_s"]], [&Value::Null; 2]);
    let story = operator.story(&app, by_hand).await;
    assert_eq!(story["waits_for"], "an operator: the provider refuses the refund (account_closed)");

    operator.settles(&app, by_hand, "refunded").await.is(200);
    app.told(by_hand, &["Requested", "Succeeded", "RefundRefused", "Refunded"]).await;
    assert_eq!(app.payment(by_hand).await["refunded"]["amount"], PRICE);
    operator.settles(&app, by_hand, "refunded").await.is(200);
    let other = Operator(UserId(Uuid::now_v7())).settles(&app, by_hand, "refunded").await;
    other.is_problem(409, "nothing-to-settle");
    let audit = operator.items(&app, "/ops/payment/audit").await;
    assert_eq!(audit.len(), 1, "it was recorded once");
    let refused_again = async || {
        let facts = app.facts(again);
        facts.iter().filter(|fact| matches!(fact, PaymentFact::RefundRefused(_))).count()
    };
    operator.settles(&app, again, "ask_again").await.is(200);
    eventually(refused_again).is(2).await;
    app.stop().await;
}

#[tokio::test]
async fn operators_alone_settle_and_say_what_why_and_where_it_is_written() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let operator = Operator(UserId(Uuid::now_v7()));
    let path = format!("/ops/payment/{}/settle", buyer.booking);
    for (field, body) in [
        ("outcome", json!({"outcome": "perhaps", "reference": "r", "reason": "why"})),
        ("reference", json!({"outcome": "approved", "reference": " ", "reason": "why"})),
        ("reason", json!({"outcome": "approved", "reference": "r", "reason": ""})),
        ("reason", json!({"outcome": "approved", "reference": "r"})),
    ] {
        operator.post(&app, &path, &body).await.is_about(field);
    }
    operator.settles(&app, Buyer::new(), "approved").await.is_problem(404, "not-found");
    operator.settles(&app, buyer, "approved").await.is_problem(409, "nothing-to-settle");
    for own in [UNKNOWN.to_owned(), format!("/ops/payment/{}", buyer.booking)] {
        Answer::to(app.get(&own)).await.is_problem(401, "not-logged-in");
        let buyers = app.get(&own).bearer_auth(app.token(buyer));
        Answer::to(buyers).await.is_problem(403, "wrong-role");
    }
    let body = json!({"outcome": "approved", "reference": "r", "reason": "why"});
    let buyers = app.post(&path).bearer_auth(app.token(buyer)).json(&body);
    Answer::to(buyers).await.is_problem(403, "wrong-role");
    assert_eq!(operator.items(&app, "/ops/payment/audit").await, Vec::<Value>::new());

    let never = Buyer::new();
    app.send(never.cancel()).await;
    app.told(never, &["Cancelled"]).await;
    let tombstone = operator.story(&app, never).await;
    assert_eq!([&tombstone["status"], &tombstone["amount"]], [&json!("cancelled"), &Value::Null]);
    app.stop().await;
}

#[tokio::test]
async fn what_is_settled_of_one_attempt_is_never_said_of_the_next() {
    let app = TestApp::start_with(&HASTY).await;
    let buyer = app.buyer().await;
    let operator = Operator(UserId(Uuid::now_v7()));
    let thinking = app.bank_thinks().await;
    app.pay(buyer, "tok_approved").await.shows_payment(202, "processing");
    let first = operator.items(&app, UNKNOWN).await[0]["attempt_id"].clone();
    let declines = async |of: &Value| {
        let why = json!({"attempt_id": of, "outcome": "declined", "reference": "pi_42",
            "reason": "they wrote to us"});
        operator.post(&app, &format!("/ops/payment/{}/settle", buyer.booking), &why).await
    };
    declines(&first).await.is(200);
    app.pay(buyer, "tok_approved").await.shows_payment(202, "processing");
    // Its answer was lost, so it is sent once more.
    let again = declines(&first).await.is(200).body;
    assert_eq!(
        [&again["status"], &again["attempts"][1]["outcome"]],
        [&json!("processing"), &Value::Null]
    );
    declines(&json!(Uuid::now_v7())).await.is_problem(409, "nothing-to-settle");
    let second = again["attempts"][1]["attempt_id"].clone();
    declines(&second).await.is(200);
    let audit = operator.items(&app, "/ops/payment/audit").await;
    let details: Vec<_> = audit.iter().map(|act| act["detail"].as_str().unwrap()).collect();
    let detail = |of: &Value| format!("declined of {}, reference pi_42", of.as_str().unwrap());
    assert_eq!(details, [detail(&second), detail(&first)]);
    drop(thinking);
    app.stop().await;
}

#[tokio::test]
async fn a_settlement_whose_commit_is_not_acknowledged_is_made_once() {
    let (mut app, proxy) = TestApp::losing_commits().await;
    app.start_instance_with(&HASTY).await;
    let buyer = app.buyer().await;
    let operator = Operator(UserId(Uuid::now_v7()));
    let thinking = app.bank_thinks().await;
    app.pay(buyer, "tok_approved").await.shows_payment(202, "processing");
    proxy.lose("UPDATE payment p");
    let settled = async || operator.settles(&app, buyer, "approved").await.status.as_u16();
    eventually(settled).is(200).await;
    assert_eq!(proxy.lost(), 1);
    app.told(buyer, &["Requested", "Succeeded"]).await;
    assert_eq!(operator.items(&app, "/ops/payment/audit").await.len(), 1);
    drop(thinking);
    app.stop().await;
}

#[tokio::test]
async fn money_is_not_given_back_by_hand_while_the_provider_is_asked_for_it() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let operator = Operator(UserId(Uuid::now_v7()));
    app.pay(buyer, "tok_refund_refused").await.shows_payment(200, "succeeded");
    app.send(buyer.refund()).await;
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused"]).await;
    let mut thinking = app.environment.superuser().begin().await.unwrap();
    let lock = "LOCK TABLE simulated_gateway.refund IN EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *thinking).await.unwrap();
    let asking = "SELECT count(*) FROM payments.payment
        WHERE booking_id = $1 AND asking_until > now() + interval '1 min'";
    eventually(async || app.number_of(buyer, asking).await).is(1).await;
    for outcome in ["refunded", "ask_again"] {
        operator.settles_once(&app, buyer, outcome).await.is_problem(409, "provider-is-asked");
    }
    thinking.rollback().await.unwrap();
    operator.settles(&app, buyer, "refunded").await.is(200);
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused", "Refunded"]).await;
    assert_eq!(app.ledger(buyer).await, Ledger::captured_once(PRICE));
    app.stop().await;
}

#[tokio::test]
async fn what_is_asked_for_again_is_not_given_back_by_hand_before_the_provider_answers() {
    let app = TestApp::start_with(&["--provider-timeout-ms", "1000"]).await;
    let buyer = app.buyer().await;
    let [one, other] = [(); 2].map(|()| Operator(UserId(Uuid::now_v7())));
    app.pay(buyer, "tok_refund_refused").await.shows_payment(200, "succeeded");
    app.send(buyer.refund()).await;
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused"]).await;
    let mut thinking = app.environment.superuser().begin().await.unwrap();
    let lock = "LOCK TABLE simulated_gateway.refund IN EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *thinking).await.unwrap();
    one.settles(&app, buyer, "ask_again").await.is(200);
    let unanswered = "SELECT count(*) FROM payments.payment WHERE booking_id = $1
        AND unanswered IS NOT NULL AND asking_until <= now() AND next_try > now() + interval '1 s'";
    eventually(async || app.number_of(buyer, unanswered).await).is(1).await;
    // This operator has seen it refused, and the provider may have done it since.
    other.settles_once(&app, buyer, "refunded").await.is_problem(409, "provider-is-asked");
    thinking.rollback().await.unwrap();
    app.told(buyer, &["Requested", "Succeeded", "RefundRefused", "RefundRefused"]).await;
    other.settles(&app, buyer, "refunded").await.is(200);
    app.stop().await;
}

pub(crate) struct Operator(pub UserId);

impl Operator {
    async fn get(&self, app: &TestApp, path: &str) -> Answer {
        Answer::to(app.get(path).bearer_auth(token(self.0, Role::Operator))).await
    }

    async fn post(&self, app: &TestApp, path: &str, body: &Value) -> Answer {
        let request = app.post(path).bearer_auth(token(self.0, Role::Operator));
        Answer::to(request.json(body)).await
    }

    pub(crate) async fn items(&self, app: &TestApp, path: &str) -> Vec<Value> {
        let list = self.get(app, path).await.is(200).body;
        list["items"].as_array().expect("a list").clone()
    }

    async fn story(&self, app: &TestApp, buyer: Buyer) -> Value {
        self.get(app, &format!("/ops/payment/{}", buyer.booking)).await.is(200).body
    }

    /// Once the provider is not being asked.
    pub(crate) async fn settles(&self, app: &TestApp, buyer: Buyer, outcome: &str) -> Answer {
        eventually(async || {
            let answer = self.settles_once(app, buyer, outcome).await;
            match answer.body["type"] == "/problems/provider-is-asked" {
                true => Err(answer.body),
                false => Ok(answer),
            }
        })
        .await
    }

    async fn settles_once(&self, app: &TestApp, buyer: Buyer, outcome: &str) -> Answer {
        let path = format!("/ops/payment/{}/settle", buyer.booking);
        let why = json!({"outcome": outcome, "reference": "pi_42", "reason": "they wrote to us"});
        self.post(app, &path, &why).await
    }
}
