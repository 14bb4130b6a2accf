//! payment-service with Stripe as its provider, played by a double.

use std::process::Command;

use karcis_schemas::SIMULATED_GATEWAY;
use karcis_testkit::{Ledger, STRIPE_KEY, StripeDouble, StripeFault, eventually};
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::harness::{Buyer, PRICE, PaymentAnswer, TestApp};

const SECRET: &str = "whsec_of_this_test";
/// Rupiah have two decimals at Stripe.
pub(crate) const MINOR: i64 = 100 * PRICE;
const PAID: [&str; 2] = ["Requested", "Succeeded"];
pub(crate) const REFUNDED: [&str; 3] = ["Requested", "Succeeded", "Refunded"];

/// With an instance whose provider is the double; the simulated one's ledger is gone.
pub(crate) async fn start() -> (TestApp, StripeDouble) {
    let stripe = StripeDouble::start().await;
    let mut app = TestApp::without_instance().await;
    let ledger = AssertSqlSafe(format!("DROP SCHEMA {} CASCADE", SIMULATED_GATEWAY.name));
    sqlx::query(ledger).execute(app.environment.superuser()).await.unwrap();
    start_instance(&mut app, &stripe).await;
    (app, stripe)
}

async fn start_instance(app: &mut TestApp, stripe: &StripeDouble) {
    let flags = [
        ["--gateway", "stripe"],
        ["--stripe-key", STRIPE_KEY],
        ["--stripe-api", &stripe.url],
        ["--stripe-return-url", "https://shop.example/paid"],
        ["--webhook-secrets", &format!("whsec_of_the_last_year,{SECRET}")],
        ["--provider-wait-ms", "60000"],
        ["--provider-timeout-ms", "20000"],
    ];
    app.start_instance_with(flags.as_flattened()).await;
}

#[tokio::test]
async fn a_booking_is_paid_once_and_refunded_once() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    let key = Some("once");
    app.pay_with(buyer, "pm_card_visa", key).await.shows_payment(200, "succeeded");
    app.pay_with(buyer, "pm_card_visa", key).await.shows_payment(200, "succeeded");
    app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    app.told(buyer, &PAID).await;
    assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR));
    app.send(buyer.refund()).await;
    app.told(buyer, &REFUNDED).await;
    app.send(buyer.refund()).await;
    app.told(buyer, &[&REFUNDED[..], &["Refunded"]].concat()).await;
    assert_eq!(stripe.ledger(buyer.booking), Ledger::refunded_once(MINOR));
    assert_eq!(stripe.intents(buyer.booking), 1);
    app.stop().await;
}

#[tokio::test]
async fn declines_say_whether_the_method_may_be_tried_again() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    for (method, code, retryable) in [
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", true),
        ("pm_of_nobody", "resource_missing", false),
    ] {
        let declined = app.pay(buyer, method).await.is_problem(402, "payment-declined");
        assert_eq!(declined.body["decline_code"], code);
        assert_eq!(declined.body["retryable"], retryable);
    }
    app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR));
    assert_eq!(stripe.intents(buyer.booking), 1);

    let thief = app.buyer().await;
    let stolen = app.pay(thief, "pm_card_visa_chargeDeclinedStolenCard").await;
    stolen.is_problem(402, "payment-declined");
    app.told(thief, &["Requested", "Failed"]).await;
    eventually(async || stripe.calls("POST", "/cancel")).is(1).await;
    app.stop().await;
}

#[tokio::test]
async fn a_buyer_who_is_sent_to_the_bank_has_paid_once_stripe_says_so() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    let waiting = app.pay(buyer, "pm_card_authenticationRequired").await;
    let waiting = waiting.shows_payment(202, "action_required");
    let action = &waiting.body["next_action"];
    assert_eq!(action["kind"], "redirect");
    let url = action["url"].as_str().unwrap();
    assert!(url.starts_with("https://hooks.stripe.com/"), "{url}");
    assert_eq!(action["expires_at"], waiting.body["pay_by"]);

    stripe.buyer_acts(buyer.booking, true);
    let url = app.url("");
    for (secret, seconds) in [("whsec_of_somebody_else", 0), (SECRET, -302)] {
        let forged = stripe.webhook(&url, secret, buyer.booking, seconds).await;
        forged.is_problem(401, "wrong-signature");
    }
    assert_eq!(app.kinds(buyer), ["Requested"]);
    stripe.webhook(&url, SECRET, buyer.booking, 0).await.is(204);
    app.told(buyer, &PAID).await;
    assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR));
    // About an intent of somebody else's.
    stripe.webhook(&url, SECRET, Buyer::new().booking, 0).await.is(204);
    app.stop().await;
}

#[tokio::test]
async fn a_buyer_who_fails_at_the_bank_can_try_again() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    let waiting = app.pay(buyer, "pm_card_authenticationRequired").await;
    waiting.shows_payment(202, "action_required");
    stripe.buyer_acts(buyer.booking, false);
    let open = app.becomes(buyer, "open").await;
    let code = &open["attempts"][0]["decline_code"];
    assert_eq!(code, "payment_intent_authentication_failure");
    app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR));
    app.stop().await;
}

#[tokio::test]
async fn a_cancel_closes_the_intent_before_any_money_moves() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    let waiting = app.pay(buyer, "pm_card_authenticationRequired").await;
    waiting.shows_payment(202, "action_required");
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    assert_eq!(stripe.calls("POST", "/cancel"), 1);
    assert_eq!(app.payment(buyer).await["attempts"][0]["outcome"], "voided");

    // Its charge never arrives, but its intent is there.
    let lost = app.buyer().await;
    app.pay(lost, "pm_never_arrives").await.shows_payment(202, "processing");
    app.send(lost.cancel()).await;
    app.told(lost, &["Requested", "Cancelled"]).await;
    assert_eq!(stripe.calls("POST", "/cancel"), 2);
    assert_eq!(stripe.ledger(lost.booking), Ledger::default());
    app.stop().await;
}

#[tokio::test]
async fn a_booking_that_is_cancelled_before_it_has_an_intent_never_takes_money() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    stripe.fails("/v1/payment_intents", StripeFault::AnswerLost);
    app.pay(buyer, "pm_card_visa").await.shows_payment(202, "processing");
    let mut voided = app.environment.superuser().begin().await.unwrap();
    let void = "INSERT INTO payments.intent_reference (booking_id) VALUES ($1)";
    sqlx::query(void).bind(buyer.booking.0).execute(&mut *voided).await.unwrap();
    // The charge that is asked for again has its intent, and waits to store its name.
    eventually(async || stripe.calls("POST", "/v1/payment_intents")).is(2).await;
    voided.commit().await.unwrap();
    app.told(buyer, &["Requested", "Cancelled"]).await;
    assert_eq!(stripe.calls("POST", "/confirm"), 0);
    assert_eq!(stripe.intents(buyer.booking), 1);
    stripe.has_failed();
    app.stop().await;
}

#[tokio::test]
async fn what_stripe_does_not_answer_is_found_out_and_charged_once() {
    let (app, stripe) = start().await;
    for (path, fault) in [
        ("/v1/payment_intents", StripeFault::Status(429)),
        ("/v1/payment_intents", StripeFault::Status(500)),
        ("/v1/payment_intents", StripeFault::AnswerLost),
        ("/confirm", StripeFault::Status(429)),
        ("/confirm", StripeFault::Status(500)),
        ("/confirm", StripeFault::Status(409)),
        ("/confirm", StripeFault::Status(401)),
        ("/confirm", StripeFault::Status(404)),
        ("/confirm", StripeFault::NeverArrives),
        ("/confirm", StripeFault::AnswerLost),
    ] {
        let buyer = app.buyer().await;
        stripe.fails(path, fault);
        app.pay(buyer, "pm_card_visa").await.shows_payment(202, "processing");
        app.told(buyer, &PAID).await;
        assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR), "{path} {fault:?}");
        assert_eq!(stripe.intents(buyer.booking), 1, "{path} {fault:?}");
    }
    stripe.has_failed();
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_stripe_has_forgotten_charges_and_refunds_nothing_twice() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    stripe.fails("/confirm", StripeFault::AnswerLost);
    app.pay(buyer, "pm_card_visa").await.shows_payment(202, "processing");
    stripe.forgets_keys();
    app.told(buyer, &PAID).await;
    assert_eq!(stripe.calls("POST", "/confirm"), 1, "it was looked at first");
    stripe.fails("POST /v1/refunds", StripeFault::AnswerLost);
    app.send(buyer.refund()).await;
    eventually(async || stripe.calls("POST", "/v1/refunds")).is(1).await;
    stripe.forgets_keys();
    app.told(buyer, &REFUNDED).await;
    assert_eq!(stripe.calls("POST", "/v1/refunds"), 1, "it was looked for first");
    stripe.has_failed();
    assert_eq!(stripe.ledger(buyer.booking), Ledger::refunded_once(MINOR));
    app.stop().await;
}

#[tokio::test]
async fn a_service_that_is_killed_while_stripe_charges_finds_the_money() {
    let (mut app, stripe) = start().await;
    let buyer = app.buyer().await;
    stripe.fails("/confirm", StripeFault::AnswerLost);
    app.pay(buyer, "pm_card_visa").await.shows_payment(202, "processing");
    app.is_settled().await;
    app.kill();
    start_instance(&mut app, &stripe).await;
    app.told(buyer, &PAID).await;
    assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR));
    app.stop().await;
}

#[tokio::test]
async fn a_refund_that_takes_time_is_done_later_and_one_that_fails_is_told_of() {
    let (app, stripe) = start().await;
    let (slow, refused) = (app.buyer().await, app.buyer().await);
    app.pay(slow, "pm_card_pendingRefund").await.shows_payment(200, "succeeded");
    app.pay(refused, "pm_card_refundFail").await.shows_payment(200, "succeeded");
    app.send(slow.refund()).await;
    app.send(refused.refund()).await;
    app.told(refused, &["Requested", "Succeeded", "RefundRefused"]).await;
    eventually(async || stripe.calls("POST", "/v1/refunds")).is(2).await;
    assert_eq!(app.payment(slow).await["status"], "refunding");
    stripe.refunds_are_done(slow.booking);
    stripe.webhook(&app.url(""), SECRET, slow.booking, 0).await.is(204);
    app.told(slow, &REFUNDED).await;
    assert_eq!(stripe.calls("POST", "/v1/refunds"), 2);
    app.stop().await;
}

/// The database forgets all that happened after the payments were asked for.
async fn restore(app: &TestApp) {
    let restore = "DELETE FROM payments.attempt; DELETE FROM payments.intent_reference;
        UPDATE payments.payment SET status = 'open', captured = 0, version = 1";
    sqlx::raw_sql(restore).execute(app.environment.superuser()).await.unwrap();
}

#[tokio::test]
async fn a_restored_database_takes_no_money_twice() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    restore(&app).await;
    app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR));
    assert_eq!(stripe.intents(buyer.booking), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_is_told_what_stripe_has_captured() {
    let (app, stripe) = start().await;
    let buyers = [app.buyer().await, app.buyer().await, app.buyer().await];
    for buyer in buyers {
        app.pay(buyer, "pm_card_visa_chargeDeclinedInsufficientFunds").await.is(402);
        app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    }
    restore(&app).await;
    stripe.forgets_keys();
    let mut script = Command::new("../../docs/restore/stripe-captures");
    script.arg("1767225600").env("KARCIS_STRIPE_API", &stripe.url);
    let script = script.env("KARCIS_STRIPE_KEY", STRIPE_KEY);
    let output = tokio::task::block_in_place(|| script.output().unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stripe.calls("GET", "/v1/charges"), 3, "there are three pages");
    let sql = AssertSqlSafe(String::from_utf8(output.stdout).unwrap());
    sqlx::raw_sql(sql).execute(app.environment.superuser()).await.unwrap();
    for buyer in buyers {
        // Otherwise it would be cancelled and its money kept.
        app.send(buyer.cancel()).await;
        app.becomes(buyer, "succeeded").await;
        assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR));
    }
    app.stop().await;
}

#[tokio::test]
async fn nothing_of_the_simulated_provider_is_there() {
    let (app, _stripe) = start().await;
    let buyer = app.buyer().await;
    let page = app.get(&format!("/simulated-provider/{}", buyer.booking)).send().await.unwrap();
    assert_eq!(page.status(), 404);
    app.pay(buyer, "tok_approved").await.is_about("method");
    let methods = app.get("/payment/methods").send().await.unwrap();
    let methods: serde_json::Value = methods.json().await.unwrap();
    assert_eq!(methods["items"][0]["method"], "pm_");
    assert_eq!(methods["items"][1], json!(null));
    app.stop().await;
}
