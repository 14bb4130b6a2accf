//! The reconciler asks the participants of ended bookings again, and records who contradicts.

use karcis_contracts::{ConfirmRefused, TicketFact};
use karcis_schemas::{BOOKING, EVENTS};
use karcis_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Booked, TestApp, issued, paid, payment_cancelled, refunded, released, reserved,
};

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
        (unpaid, "CancelPayment"),
        (refund, "RefundPayment"),
        (refund, "ReleaseTickets"),
    ] {
        eventually(async || app.count(booking, command) >= 3).is(true).await;
    }
    for (booking, command) in
        [(sold, "RequestPayment"), (refund, "CancelPayment"), (unpaid, "RefundPayment")]
    {
        let asked_for = usize::from(command == "RequestPayment");
        assert_eq!(app.count(booking, command), asked_for, "{command} would change something");
    }
    app.publishes([issued(sold)]).await;
    app.publishes([released(unpaid), released(refund)]).await;
    app.publishes([payment_cancelled(unpaid), refunded(refund)]).await;
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
    // It says so again, and then nothing, however often it is asked: still one.
    app.publishes([refused]).await;
    app.is_heard().await;
    app.is_asked_again(booking).await;
    assert_eq!(items(&app, LIST).await.len(), 1, "silence is no agreement");
    app.publishes([issued(booking)]).await;
    eventually(async || items(&app, LIST).await.len()).is(0).await;
    // Late answers of earlier stages contradict nothing.
    app.publishes([reserved(booking, 500, 60)]).await;
    app.is_heard().await;
    assert_eq!(buyer.status(booking).await, "confirmed");
    app.stop().await;
}

#[tokio::test]
async fn a_difference_about_money_is_open_until_payment_service_or_an_operator_says_otherwise() {
    let app = TestApp::start_with(&FAST).await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let [first, second] = [buyer.books().await, buyer.books().await];
    for booking in [first, second] {
        app.makes_payable(booking).await;
        app.sells(booking).await;
        buyer.waits_for(booking, "confirmed").await;
        // It never took the money.
        app.publishes([payment_cancelled(booking)]).await;
    }
    let open = async || {
        let mut open: Vec<Value> = items(&app, LIST).await;
        open.sort_by_key(|one| one["subject_id"].to_string());
        open
    };
    eventually(async || open().await.len()).is(2).await;
    for one in open().await {
        let detail = "confirmed, but the answer is PaymentCancelled";
        assert_eq!([&one["kind"], &one["detail"]], ["payment_answer", detail]);
    }
    // event-service agrees with all that it is asked, and knows nothing of money.
    for booking in [first, second] {
        app.publishes([issued(booking)]).await;
        app.is_asked_again(booking).await;
        app.publishes([issued(booking)]).await;
    }
    app.is_heard().await;
    assert_eq!(open().await.len(), 2, "nobody compared the money");

    app.publishes([paid(first)]).await;
    eventually(async || open().await.len()).is(1).await;
    let left = open().await.remove(0);
    assert_eq!(left["subject_id"], json!(second.id));
    let close = format!("{LIST}/{}/close", left["difference_id"].as_str().expect("an id"));
    buyer.post(&close, &json!({"reason": "why"})).await.is_problem(403, "wrong-role");
    operator.post(&close, &json!({})).await.is_about("reason");
    let closed = operator.post(&close, &json!({"reason": "paid in cash"})).await.is(200).body;
    assert_eq!(closed["is_repeated"], false);
    assert_eq!(open().await, Vec::<Value>::new());
    let again = operator.post(&close, &json!({"reason": "paid in cash"})).await.is(200).body;
    assert_eq!(again["is_repeated"], true);
    let audit = operator.get("/ops/booking/audit").await.is(200).body;
    let acts = audit["items"].as_array().expect("a list");
    assert_eq!(acts.len(), 1, "{acts:?}");
    assert_eq!([&acts[0]["action"], &acts[0]["reason"]], ["close_difference", "paid in cash"]);
    assert_eq!(acts[0]["detail"], format!("payment_answer of {}", second.id));
    let unknown = format!("{LIST}/{}/close", second.id);
    operator.post(&unknown, &json!({"reason": "why"})).await.is(404);
    // It is back if the answer is.
    app.publishes([payment_cancelled(second)]).await;
    eventually(async || open().await.len()).is(1).await;
    app.stop().await;
}

#[tokio::test]
async fn bookings_that_were_rejected_hold_up_no_comparison_of_those_behind_them() {
    let app = TestApp::start_with(&FAST).await;
    let buyer = app.buyer();
    let [before, behind] = [buyer.books().await, buyer.books().await];
    app.makes_payable(behind).await;
    app.sells(behind).await;
    buyer.waits_for(behind, "confirmed").await;
    // So many that one statement should not read them all.
    let reject =
        "INSERT INTO bookings.booking SELECT (jsonb_populate_record(booking, jsonb_build_object(
            'id', overlay($1::text PLACING lpad(to_hex(n), 12, '0') FROM 25), 'stage', 'rejected',
            'wake_at', NULL, 'due_at', NULL))).*
        FROM bookings.booking, generate_series(1, 12000) AS n WHERE id = $1";
    let reject = sqlx::query(reject).bind(before.id.0);
    let rejected = reject.execute(app.environment.superuser()).await.expect("rows can be made");
    assert_eq!(rejected.rows_affected(), 12_000);
    let after = "SELECT after_id FROM bookings.reconciler WHERE kind = 'answer'";
    let is_among_them = async || {
        let after = sqlx::query_scalar::<_, Uuid>(after).fetch_one(app.environment.superuser());
        let after = after.await.expect("it can be read");
        !after.is_nil() && after < behind.id.0
    };
    eventually(is_among_them).is(true).await;
    app.is_asked_again(behind).await;
    app.stop().await;
}

async fn items(app: &TestApp, list: &str) -> Vec<Value> {
    let list = app.operator().get(list).await.is(200).body;
    list["items"].as_array().expect("a list").clone()
}

impl TestApp {
    /// Waits until event-service was asked twice more about this booking.
    async fn is_asked_again(&self, booking: Booked) {
        let before = self.count(booking, "ConfirmTickets");
        eventually(async || self.count(booking, "ConfirmTickets") >= before + 2).is(true).await;
    }

    /// Waits until all that was published was handled.
    async fn is_heard(&self) {
        self.environment.all_sent(EVENTS).await;
        self.environment.all_handled(&BOOKING).await;
    }
}
