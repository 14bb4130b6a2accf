//! The reconciler compares payments with the provider's ledger, and mends nothing.

use karcis_kernel::{Role, UserId};
use karcis_testkit::{Answer, Ledger, eventually, token};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{PRICE, PaymentAnswer, TestApp},
    settling::Operator,
};

const FAST: [&str; 4] = ["--reconcile-every-ms", "20", "--reconcile-after-s", "0"];

#[tokio::test]
async fn money_that_the_provider_has_and_we_have_not_is_listed_and_not_touched() {
    let app = TestApp::start_with(&FAST).await;
    let (paid, declined, late) = (app.buyer().await, app.buyer().await, app.buyer().await);
    app.pay(paid, "tok_approved").await.shows_payment(200, "succeeded");
    for buyer in [declined, late] {
        app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    }
    app.environment.all_is_compared_again("payments").await;
    assert_eq!(app.differences("").await, Vec::<Value>::new(), "all agree");

    // The provider takes money that it has declined before, and tells nobody.
    let capture = "UPDATE simulated_gateway.charge SET answer = 'captured', decline_code = NULL
        WHERE intent = $1";
    let capture = sqlx::query(capture).bind(late.booking.0);
    capture.execute(app.environment.superuser()).await.expect("the ledger can be changed");
    let found = eventually(async || match &app.differences("").await[..] {
        [one] => Ok(one.clone()),
        others => Err(others.to_vec()),
    });
    let found = found.await;
    assert_eq!([&found["kind"], &found["subject_id"]], [&json!("ledger"), &json!(late.booking)]);
    assert_eq!(found["detail"], "captured 0 times here, and 1 times at the provider");
    let payment = app.payment(late).await;
    app.environment.all_is_compared_again("payments").await;
    assert_eq!(app.payment(late).await, payment, "nothing is mended");
    assert_eq!(app.ledger(late).await, Ledger::captured_once(PRICE));
    // Another test's service may say 0 for a moment.
    eventually(async || app.counter(r#"karcis_differences{kind="ledger"}"#).await).is(1).await;

    let back = "UPDATE simulated_gateway.charge SET answer = 'declined', decline_code = 'x'
        WHERE intent = $1";
    let back = sqlx::query(back).bind(late.booking.0);
    back.execute(app.environment.superuser()).await.expect("the ledger can be changed");
    eventually(async || app.differences("").await.len()).is(0).await;
    let gone = app.differences("?with_gone=true").await;
    assert!(gone.len() == 1 && gone[0]["gone_at"].is_string(), "{gone:?}");
    app.stop().await;
}

#[tokio::test]
async fn money_that_went_back_here_and_not_at_the_provider_is_listed() {
    let app = TestApp::start_with(&FAST).await;
    let (refunded, by_hand) = (app.buyer().await, app.buyer().await);
    let operator = Operator(UserId(Uuid::now_v7()));
    for (buyer, method) in [(refunded, "tok_approved"), (by_hand, "tok_refund_refused")] {
        app.pay(buyer, method).await.shows_payment(200, "succeeded");
        app.send(buyer.refund()).await;
    }
    app.becomes(refunded, "refunded").await;
    app.told(by_hand, &["Requested", "Succeeded", "RefundRefused"]).await;
    operator.settles(&app, by_hand, "refunded").await.is(200);
    app.environment.all_is_compared_again("payments").await;
    assert_eq!(app.differences("").await, Vec::<Value>::new(), "an operator said so of the one");

    // The provider finds the account closed after it had called the refund done.
    let fail = sqlx::query("DELETE FROM simulated_gateway.refund WHERE intent = $1");
    let failed = fail.bind(refunded.booking.0).execute(app.environment.superuser()).await.unwrap();
    assert_eq!(failed.rows_affected(), 1);
    let found = eventually(async || match &app.differences("").await[..] {
        [one] => Ok(one.clone()),
        others => Err(others.to_vec()),
    });
    let found = found.await;
    assert_eq!(
        [&found["kind"], &found["subject_id"]],
        [&json!("ledger"), &json!(refunded.booking)]
    );
    assert_eq!(found["detail"], "gave back 750000 IDR here, and 0 IDR at the provider");
    app.stop().await;
}

#[tokio::test]
async fn a_payment_that_is_made_while_it_is_compared_is_no_difference() {
    let app = TestApp::start_with(&FAST).await;
    let buyer = app.buyer().await;
    app.pay(buyer, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    // The provider is asked for the ledger, and takes the money before it answers.
    let mut provider = app.environment.superuser().begin().await.unwrap();
    let no_answers = "LOCK TABLE simulated_gateway.charge IN ACCESS EXCLUSIVE MODE";
    sqlx::query(no_answers).execute(&mut *provider).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT key FROM charge WHERE intent%'";
    eventually(async || app.number(waiting).await > 0).is(true).await;
    let takes = "UPDATE simulated_gateway.charge SET answer = 'captured', decline_code = NULL
        WHERE intent = $1";
    sqlx::query(takes).bind(buyer.booking.0).execute(&mut *provider).await.unwrap();
    let records = "UPDATE payments.attempt SET outcome = 'approved', decline_kind = NULL,
        decline_code = NULL WHERE booking_id = $1";
    let superuser = app.environment.superuser();
    sqlx::query(records).bind(buyer.booking.0).execute(superuser).await.unwrap();
    provider.commit().await.unwrap();
    app.environment.all_is_compared_again("payments").await;
    assert_eq!(app.differences("?with_gone=true").await, Vec::<Value>::new());
    // As the payment itself says.
    let succeeds = "UPDATE payments.payment SET status = 'succeeded', captured = amount
        WHERE booking_id = $1";
    sqlx::query(succeeds).bind(buyer.booking.0).execute(superuser).await.unwrap();
    app.stop().await;
}

#[tokio::test]
async fn an_old_difference_is_compared_until_it_is_gone() {
    let app = TestApp::start_with(&FAST).await;
    // Of a booking of long ago: ids begin with their time.
    let old = "INSERT INTO payments.difference (difference_id, kind, subject_id, detail)
        VALUES (gen_random_uuid(), 'ledger', '01700000-0000-7000-8000-000000000001', 'it differed')";
    sqlx::query(old).execute(app.environment.superuser()).await.unwrap();
    assert_eq!(app.differences("").await.len(), 1);
    eventually(async || app.differences("").await.len()).is(0).await;
    app.stop().await;
}

impl TestApp {
    async fn differences(&self, query: &str) -> Vec<Value> {
        let operator = token(UserId(Uuid::now_v7()), Role::Operator);
        let list = self.get(&format!("/ops/payment/differences{query}")).bearer_auth(operator);
        let list = Answer::to(list).await.is(200).body;
        list["items"].as_array().expect("a list").clone()
    }
}
