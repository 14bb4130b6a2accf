//! The reconciler asks the participants of ended bookings again, and records who contradicts.

use karcis_contracts::{ConfirmRefused, PaymentCancelled, PaymentFact, TicketFact};
use karcis_schemas::{BOOKING, EVENTS};
use karcis_testkit::eventually;
use serde_json::{Value, json};

use crate::harness::{TestApp, issued, payment, payment_cancelled, refunded, released, reserved};

const LIST: &str = "/ops/booking/differences";
const FAST: [&str; 6] =
    ["--reconcile-every-ms", "20", "--reconcile-after-s", "1", "--resend-after", "10m"];

#[tokio::test]
async fn the_last_commands_of_ended_bookings_are_sent_again_and_agreeing_answers_change_nothing() {
    let app = TestApp::start_with(&FAST).await;
    let buyer = app.buyer();
    let [sold, unpaid, refund] = [buyer.books().await, buyer.books().await, buyer.books().await];
    for booking in [sold, unpaid, refund] {
        app.makes_payable(booking).await;
    }
    app.sells(sold).await;
    buyer.waits_for(sold, "confirmed").await;
    buyer.waits_for(unpaid, "awaiting_payment").await;
    buyer.cancels(unpaid).await.is(202);
    app.publishes([payment_cancelled(unpaid)]).await;
    app.receives(unpaid, "ReleaseTickets").await;
    app.publishes([released(unpaid)]).await;
    app.sells(refund).await;
    buyer.waits_for(refund, "confirmed").await;
    buyer.cancels(refund).await.is(202);
    app.publishes([refunded(refund)]).await;
    app.publishes([released(refund)]).await;
    let versions = async || {
        let mut versions = Vec::new();
        for booking in [sold, unpaid, refund] {
            buyer
                .waits_for(booking, if booking.id == sold.id { "confirmed" } else { "cancelled" })
                .await;
            versions.push(buyer.sees(booking).await["version"].clone());
        }
        versions
    };
    let before = versions().await;
    for (booking, command) in [
        (sold, "ConfirmTickets"),
        (unpaid, "ReleaseTickets"),
        (refund, "RefundPayment"),
        (refund, "ReleaseTickets"),
    ] {
        eventually(async || app.count(booking, command) >= 3).is(true).await;
    }
    assert_eq!(app.count(unpaid, "CancelPayment"), 1, "not what was sent before that");
    app.publishes([issued(sold)]).await;
    app.publishes([released(unpaid), released(refund)]).await;
    app.publishes([refunded(refund)]).await;
    app.is_heard().await;
    assert_eq!(items(&app, LIST).await, Vec::<Value>::new());
    assert_eq!(versions().await, before);
    app.stop().await;
}

#[tokio::test]
async fn a_participant_that_contradicts_an_ended_booking_is_listed_until_it_agrees() {
    let app = TestApp::start_with(&FAST).await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    let before = buyer.sees(booking).await;
    // event-service has lost the hold, such as by a restored backup.
    let (booking_id, event_id) = (booking.id, booking.event_id);
    let refused = TicketFact::from(ConfirmRefused { booking_id, event_id });
    app.publishes([refused.clone()]).await;

    let found = eventually(async || match &items(&app, LIST).await[..] {
        [one] => Ok(one.clone()),
        others => Err(others.to_vec()),
    });
    let found = found.await;
    assert_eq!([&found["kind"], &found["subject_id"]], [&json!("answer"), &json!(booking.id)]);
    assert_eq!(found["detail"], "confirmed, but the answer is ConfirmRefused");
    assert_eq!(buyer.sees(booking).await, before, "nothing is mended");
    let gauge = r#"karcis_differences{kind="answer"} 1"#;
    let metrics = async || operator.get("/metrics").await.is(200).body;
    let shown = async || metrics().await.as_str().is_some_and(|text| text.contains(gauge));
    eventually(shown).is(true).await;
    // It says so again: still one. Then it does not, when it is asked: it is gone.
    app.publishes([refused]).await;
    app.is_heard().await;
    assert!(items(&app, LIST).await.len() <= 1);
    eventually(async || items(&app, LIST).await.len()).is(0).await;

    // payment-service never took the money.
    let (payment_id, _) = payment(booking);
    let never = PaymentFact::from(PaymentCancelled { booking_id, payment_id });
    app.publishes([never]).await;
    let detail = "confirmed, but the answer is PaymentCancelled";
    let details = async || {
        let items = items(&app, LIST).await;
        items.iter().map(|one| one["detail"].clone()).collect::<Vec<_>>()
    };
    eventually(details).is(vec![json!(detail)]).await;
    // Late answers of earlier stages contradict nothing.
    app.publishes([reserved(booking, 500, 60)]).await;
    app.is_heard().await;
    assert_eq!(buyer.status(booking).await, "confirmed");
    app.stop().await;
}

async fn items(app: &TestApp, list: &str) -> Vec<Value> {
    let list = app.operator().get(list).await.is(200).body;
    list["items"].as_array().expect("a list").clone()
}

impl TestApp {
    /// Waits until all that was published was handled.
    async fn is_heard(&self) {
        self.environment.all_sent(EVENTS).await;
        self.environment.all_handled(&BOOKING).await;
    }
}
