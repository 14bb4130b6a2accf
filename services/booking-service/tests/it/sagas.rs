//! What operators see and do of sagas: what waits and for what, send again, cancel.

use karcis_contracts::{RejectReason, TicketFact, TicketsRejected};
use karcis_kernel::Role;
use karcis_testkit::{Person, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Booked, TestApp, paid, refunded, released, reserved};

const SAGAS: &str = "/ops/booking/sagas";

#[tokio::test]
async fn operators_see_which_bookings_wait_for_what() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let [reserving, payable, sold] =
        [buyer.books().await, buyer.books().await, buyer.books().await];
    for booking in [payable, sold] {
        app.makes_payable(booking).await;
    }
    app.sells(sold).await;
    buyer.waits_for(payable, "awaiting_payment").await;
    buyer.waits_for(sold, "confirmed").await;

    let sagas = items(&operator, SAGAS).await;
    assert_eq!(ids(&sagas), [reserving, payable].map(|it| json!(it.id)), "the oldest first");
    let [first, second] = &sagas[..] else { unreachable!("there are two") };
    assert_eq!([&first["stage"], &first["status"]], ["reserving", "pending"]);
    assert_eq!([&first["pending"], &first["attempts"]], [&json!(["ReserveTickets"]), &json!(1)]);
    assert_eq!([&first["stuck"], &first["last_error"]], [&Value::Null; 2]);
    assert_eq!(first["user_id"], json!(buyer.user_id));
    assert!(text(&first["waits_for"]).starts_with("event-service to answer ReserveTickets; sent"));
    assert!(text(&second["waits_for"]).starts_with("the buyer to pay, until 20"), "{second}");

    for (query, expected) in [
        ("?stage=awaiting", vec![payable]),
        ("?stage=refunding", vec![]),
        ("?stuck=true", vec![]),
        ("?stuck=false", vec![reserving, payable]),
        ("?older_than_s=0", vec![reserving, payable]),
        ("?older_than_s=3600", vec![]),
    ] {
        let found = items(&operator, &format!("{SAGAS}{query}")).await;
        let expected: Vec<Value> = expected.iter().map(|booking| json!(booking.id)).collect();
        assert_eq!(ids(&found), expected, "{query}");
    }
    for query in ["stage=confirmed", "stage=", "stuck=perhaps", "older_than_s=-1", "limit=0"] {
        let field = query.split('=').next().expect("a name");
        operator.get(&format!("{SAGAS}?{query}")).await.is_about(field);
    }
    let first = operator.get(&format!("{SAGAS}?limit=1")).await.is(200).body;
    let next = format!("{SAGAS}?limit=1&cursor={}", text(&first["next_cursor"]));
    let next = operator.get(&next).await.is(200).body;
    assert_eq!((ids(&[next["items"][0].clone()]), &next["next_cursor"]), {
        (vec![json!(payable.id)], &Value::Null)
    });
    app.stop().await;
}

#[tokio::test]
async fn a_command_that_nobody_answers_makes_its_saga_stuck() {
    let app = TestApp::start_with(&["--resend-after", "20ms"]).await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    let stuck =
        eventually(async || match &items(&operator, &format!("{SAGAS}?stuck=true")).await[..] {
            [one] => Ok(one.clone()),
            others => Err(others.to_vec()),
        });
    let stuck = stuck.await;
    assert_eq!([&stuck["booking_id"], &stuck["stuck"]], [&json!(booking.id), &json!("unanswered")]);
    assert!(stuck["attempts"].as_u64().is_some_and(|attempts| attempts >= 6), "{stuck}");
    app.reserves(booking, 500).await;
    let stuck = async || items(&operator, &format!("{SAGAS}?stuck=true")).await.len();
    eventually(stuck).is(0).await;
    app.stop().await;
}

#[tokio::test]
async fn a_booking_tells_its_whole_story() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    buyer.cancels(booking).await.is(202);
    // Its answer cannot be read, and the broker does not take a message about it.
    let topic = "karcis.payments.v1";
    app.says(booking, topic, "karcis.PaymentCancelled.v1", "no json").await;
    app.park(booking, "karcis.bookings.v1", "karcis.BookingCancelled.v1", b"{}").await;

    let path = format!("{SAGAS}/{}", booking.id);
    let story = eventually(async || {
        let story = operator.get(&path).await.is(200).body;
        if story["set_aside"].as_array().is_some_and(|it| it.len() == 2) {
            Ok(story)
        } else {
            Err(story)
        }
    });
    let story = story.await;
    let timeline = story["timeline"].as_array().expect("a list");
    let steps = timeline.iter().map(|step| format!("{}: {}", text(&step["input"]), step["sent"]));
    let expected = [
        r#"create: ["ReserveTickets","BookingCreated"]"#,
        r#"TicketsReserved: ["RequestPayment","BookingReserved"]"#,
        "PaymentRequested: []",
        r#"cancel: ["CancelPayment"]"#,
    ];
    assert_eq!(steps.collect::<Vec<_>>(), expected);
    // The services that the test plays have no traces.
    let traced = timeline.iter().map(|step| step["trace_id"].is_string());
    assert_eq!(traced.collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(story["trace_id"], timeline[3]["trace_id"], "of what happened last");
    assert_eq!([&story["stage"], &story["reason"]], ["cancelling", "cancelled_by_buyer"]);
    assert_eq!([&story["pending"], &story["tickets"]], [&json!(["CancelPayment"]), &json!(2)]);
    assert_eq!(story["total"], json!({"amount": 1_000, "currency": "IDR"}));
    assert!(text(&story["waits_for"]).starts_with("payment-service to answer CancelPayment; sent"));
    let places = story["set_aside"].as_array().expect("a list").iter();
    let mut places: Vec<_> = places.map(|one| [text(&one["place"]), text(&one["type"])]).collect();
    places.sort_unstable();
    let dead = ["dead_letter", "karcis.PaymentCancelled.v1"];
    assert_eq!(places, [dead, ["parked", "karcis.BookingCancelled.v1"]]);
    assert!(story["last_error"].is_string());
    let listed = items(&operator, SAGAS).await;
    assert_eq!(listed[0]["last_error"], story["last_error"]);
    assert_eq!(story["hold"], json!({"state": "held", "since": timeline[1]["at"]}));
    let payment = money("cancelling", &timeline[3]["at"], [1_000, 0, 0]);
    assert_eq!(story["payment"], payment);

    operator.get(&format!("{SAGAS}/{}", Uuid::now_v7())).await.is_problem(404, "not-found");
    buyer.get(&path).await.is_problem(403, "wrong-role");
    buyer.get(SAGAS).await.is_problem(403, "wrong-role");
    app.visitor.get(SAGAS).await.is_problem(401, "not-logged-in");
    app.clear().await;
    app.stop().await;
}

#[tokio::test]
async fn a_story_tells_what_became_of_seats_and_money() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    let told = async |hold: &str, payment: Option<(&str, [i64; 3])>| {
        let path = format!("{SAGAS}/{}", booking.id);
        let story = operator.get(&path).await.is(200).body;
        assert_eq!(story["hold"]["state"], hold);
        let status = [story["payment"]["status"].clone()];
        assert_eq!(status, [json!(payment.map(|it| it.0))], "{hold}");
        let Some((status, amounts)) = payment else { return };
        let since = &story["payment"]["since"];
        assert_eq!(story["payment"], money(status, since, amounts));
    };
    told("requested", None).await;
    app.makes_payable(booking).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    told("held", Some(("open", [1_000, 0, 0]))).await;
    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    told("sold", Some(("succeeded", [1_000, 1_000, 0]))).await;
    buyer.cancels(booking).await.is(202);
    told("sold", Some(("refunding", [1_000, 1_000, 0]))).await;
    app.publishes([released(booking)]).await;
    app.publishes([refunded(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    told("released", Some(("refunded", [1_000, 1_000, 1_000]))).await;
    app.stop().await;
}

#[tokio::test]
async fn an_operator_has_a_command_sent_again_at_once() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    app.receives(booking, "ReserveTickets").await;
    let path = format!("{SAGAS}/{}/resume", booking.id);
    operator.post(&path, &json!({})).await.is_about("reason");
    buyer.post(&path, &why()).await.is_problem(403, "wrong-role");
    let before = items(&operator, SAGAS).await[0].clone();
    for sent in 2..9 {
        let saga = operator.post(&path, &why()).await.is(200).body;
        for field in ["attempts", "next_resend_at", "stuck"] {
            assert_eq!(saga[field], before[field], "{field} is as it was");
        }
        assert_eq!(saga["is_changed"], true);
        eventually(async || app.count(booking, "ReserveTickets")).is(sent).await;
    }
    assert_eq!(acts(&operator).await, vec![act(&operator, "resume_saga", booking); 7]);
    let (booking_id, event_id) = (booking.id, booking.event_id);
    let reason = RejectReason::SoldOut;
    app.publishes([TicketFact::from(TicketsRejected { booking_id, event_id, reason })]).await;
    buyer.waits_for(booking, "rejected").await;
    operator.post(&path, &why()).await.is_problem(409, "nothing-pending");
    let unknown = format!("{SAGAS}/{}/resume", Uuid::now_v7());
    operator.post(&unknown, &why()).await.is_problem(404, "not-found");
    assert_eq!(acts(&operator).await.len(), 7, "what does nothing is no act");
    app.stop().await;
}

#[tokio::test]
async fn an_operator_cancels_whatever_the_refund_window() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    app.receives(booking, "ReserveTickets").await;
    app.publishes([reserved(booking, 500, -1)]).await;
    app.receives(booking, "RequestPayment").await;
    app.publishes([paid(booking)]).await;
    buyer.waits_for(booking, "confirming").await;
    buyer.cancels(booking).await.is_problem(409, "refund-window-closed");

    let path = format!("/ops/booking/{}/cancel", booking.id);
    operator.post(&path, &json!({"reason": ""})).await.is_about("reason");
    buyer.post(&path, &why()).await.is_problem(403, "wrong-role");
    for is_changed in [true, false] {
        let saga = operator.post(&path, &why()).await.is(200).body;
        assert_eq!(
            [&saga["stage"], &saga["is_changed"]],
            [&json!("refunding"), &json!(is_changed)]
        );
    }
    assert_eq!(buyer.sees(booking).await["reason"], "cancelled_by_buyer");
    app.receives(booking, "RefundPayment").await;
    app.publishes([refunded(booking)]).await;
    app.publishes([released(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    let saga = operator.post(&path, &why()).await.is(200).body;
    assert_eq!([&saga["status"], &saga["is_changed"]], [&json!("cancelled"), &json!(false)]);
    let timeline = buyer.timeline(booking).await;
    let step = "cancel_by_operator: refunding RefundPayment ReleaseTickets";
    assert!(timeline.iter().any(|entry| entry == step), "{timeline:?}");
    assert_eq!(acts(&operator).await, [act(&operator, "cancel_booking", booking)]);

    let rejected = buyer.books().await;
    let (booking_id, event_id) = (rejected.id, rejected.event_id);
    let reason = RejectReason::SoldOut;
    app.publishes([TicketFact::from(TicketsRejected { booking_id, event_id, reason })]).await;
    buyer.waits_for(rejected, "rejected").await;
    let path = format!("/ops/booking/{}/cancel", rejected.id);
    let admin = app.person(operator.user_id, Role::Admin);
    admin.post(&path, &why()).await.is_problem(409, "booking-rejected");
    app.stop().await;
}

fn why() -> Value {
    json!({"reason": "the buyer called"})
}

/// A payment as it is shown: its amount, and what of it came and went back.
fn money(status: &str, since: &Value, amounts: [i64; 3]) -> Value {
    let [amount, captured, refunded] =
        amounts.map(|amount| json!({"amount": amount, "currency": "IDR"}));
    json!({"status": status, "since": since, "amount": amount, "captured": captured,
        "refunded": refunded})
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn ids(sagas: &[Value]) -> Vec<Value> {
    sagas.iter().map(|saga| saga["booking_id"].clone()).collect()
}

async fn items(operator: &Person, list: &str) -> Vec<Value> {
    let list = operator.get(list).await.is(200).body;
    list["items"].as_array().expect("a list").clone()
}

/// Who did what to what, and why, the newest first; each in a trace.
async fn acts(operator: &Person) -> Vec<[Value; 4]> {
    let acts = items(operator, "/ops/booking/audit").await;
    let fields = ["actor_id", "action", "subject_id", "reason"];
    let fields = |act: &Value| {
        assert!(act["trace_id"].is_string(), "{act}");
        fields.map(|field| act[field].clone())
    };
    acts.iter().map(fields).collect()
}

fn act(operator: &Person, action: &str, booking: Booked) -> [Value; 4] {
    [json!(operator.user_id), json!(action), json!(booking.id), why()["reason"].clone()]
}
