//! Money at Stripe that has to go back, and intents that must not take any more.

use karcis_kernel::UserId;
use karcis_testkit::{Ledger, STRIPE_RETRY_AFTER, StripeDouble, StripeFault, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Buyer, PaymentAnswer, TestApp},
    settling::{Operator, UNKNOWN},
    stripe::{MINOR, REFUNDED, start},
};

const REFUSED: [&str; 3] = ["Requested", "Succeeded", "RefundRefused"];

fn operator() -> Operator {
    Operator(UserId(Uuid::now_v7()))
}

#[tokio::test]
async fn a_refund_that_stripe_fails_to_make_is_asked_for_under_another_key() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    stripe.fails("POST /v1/refunds", StripeFault::Status(500));
    app.send(buyer.refund()).await;
    app.told(buyer, &REFUNDED).await;
    stripe.has_failed();
    assert_eq!(stripe.ledger(buyer.booking), Ledger::refunded_once(MINOR));
    app.stop().await;
}

#[tokio::test]
async fn a_refund_that_has_failed_is_made_again_once_an_operator_wants_it() {
    let (app, stripe) = start().await;
    let buyer = app.buyer().await;
    app.pay(buyer, "pm_card_refundFail").await.shows_payment(200, "succeeded");
    app.send(buyer.refund()).await;
    app.told(buyer, &REFUSED).await;
    stripe.takes_refunds(buyer.booking);
    operator().settles(&app, buyer, "ask_again").await.is(200);
    app.told(buyer, &[&REFUSED[..], &["Refunded"]].concat()).await;
    assert_eq!(stripe.ledger(buyer.booking), Ledger::refunded_once(MINOR));
    app.stop().await;
}

#[tokio::test]
async fn a_refund_that_has_no_answer_is_listed_and_can_be_settled() {
    let (app, stripe) = start().await;
    let (nameless, unanswered) = (app.buyer().await, app.buyer().await);
    let operator = operator();
    for buyer in [nameless, unanswered] {
        app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    }
    // A restored database does not know the intent.
    let forget = "DELETE FROM payments.intent_reference WHERE booking_id = $1";
    let forget = sqlx::query(forget).bind(nameless.booking.0);
    forget.execute(app.environment.superuser()).await.unwrap();
    app.send(nameless.refund()).await;
    app.told(nameless, &REFUSED).await;
    operator.settles(&app, nameless, "refunded").await.is(200);

    // The key was taken back.
    for _ in 0..30 {
        stripe.fails("/v1/refunds", StripeFault::Status(401));
    }
    app.send(unanswered.refund()).await;
    let open = eventually(async || match &operator.items(&app, UNKNOWN).await[..] {
        [open] => Ok(open.clone()),
        others => Err(others.to_vec()),
    });
    let open = open.await;
    assert_eq!(
        [&open["booking_id"], &open["what"]],
        [&json!(unanswered.booking), &json!("refund")]
    );
    assert!(open["refusal"].as_str().is_some_and(|why| why.contains("401")), "{open}");
    operator.settles(&app, unanswered, "refunded").await.is(200);
    for buyer in [nameless, unanswered] {
        app.becomes(buyer, "refunded").await;
        assert_eq!(stripe.ledger(buyer.booking), Ledger::captured_once(MINOR), "by hand");
    }
    assert_eq!(operator.items(&app, UNKNOWN).await, Vec::<Value>::new());
    app.stop().await;
}

#[tokio::test]
async fn refunds_leave_room_for_those_who_pay() {
    let (app, stripe) = start().await;
    let mut refunded = Vec::new();
    for _ in 0..8 {
        let buyer = app.buyer().await;
        app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
        refunded.push(buyer);
    }
    let buyer = app.buyer().await;
    stripe.fails("/v1/refunds", StripeFault::Status(429));
    app.send_all(refunded.iter().map(|buyer| buyer.refund().into()).collect()).await;
    eventually(async || stripe.calls("", "/v1/refunds") > 0).is(true).await;
    app.pay(buyer, "pm_card_visa").await.shows_payment(200, "succeeded");
    for buyer in &refunded {
        app.told(*buyer, &REFUNDED).await;
        assert_eq!(stripe.ledger(buyer.booking), Ledger::refunded_once(MINOR));
    }
    stripe.has_failed();
    let times = stripe.times("", "/v1/refunds");
    let pause = times.windows(2).position(|pair| pair[1] - pair[0] >= STRIPE_RETRY_AFTER);
    let after = &times[pause.expect("they wait for as long as Stripe says") + 1..];
    // Each is two calls.
    let (calls, took) = (after.len() as u32, *after.last().unwrap() - after[0]);
    assert!(took >= (calls - 1) * REFUND_SPACING * 4 / 5, "{calls} calls within {took:?}");
    app.stop().await;
}

/// A twentieth of a second is a fifth of what Stripe takes.
const REFUND_SPACING: std::time::Duration = std::time::Duration::from_millis(50);

/// A buyer whose page at the bank is open, of whom an operator has said that they were declined.
async fn with_an_open_page(app: &TestApp, stripe: &StripeDouble) -> Buyer {
    let buyer = app.buyer().await;
    let waiting = app.pay(buyer, "pm_card_authenticationRequired").await;
    waiting.shows_payment(202, "action_required");
    operator().settles(app, buyer, "declined").await.is(200);
    // That is looked into at once.
    let looked_up = "SELECT count(*) FROM payments.payment WHERE NOT look_up AND booking_id = $1";
    eventually(async || app.number_of(buyer, looked_up).await).is(1).await;
    assert_eq!(app.payment(buyer).await["status"], "open");
    assert_eq!(stripe.ledger(buyer.booking), Ledger::default());
    buyer
}

#[tokio::test]
async fn a_page_of_the_bank_is_closed_with_its_booking() {
    let (app, stripe) = start().await;
    let buyer = with_an_open_page(&app, &stripe).await;
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled"]).await;
    eventually(async || stripe.calls("POST", "/cancel")).is(1).await;
    app.stop().await;
}

#[tokio::test]
async fn money_that_comes_just_before_its_booking_is_cancelled_goes_back() {
    let (app, stripe) = start().await;
    let buyer = with_an_open_page(&app, &stripe).await;
    // Stripe's webhook is lost.
    stripe.buyer_acts(buyer.booking, true);
    app.send(buyer.cancel()).await;
    app.told(buyer, &["Requested", "Cancelled", "Returned"]).await;
    assert_eq!(stripe.ledger(buyer.booking), Ledger::refunded_once(MINOR));
    app.stop().await;
}
