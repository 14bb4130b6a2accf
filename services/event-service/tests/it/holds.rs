//! What operators see of a booking's hold.

use karcis_kernel::{BookingId, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{TestApp, plan};

#[tokio::test]
async fn operators_see_what_an_event_keeps_for_a_booking() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let operator = app.person(Role::Operator);
    let event = app.made(&organiser, &plan(10)).await;
    let path = |booking: BookingId| format!("/ops/event/holds/{booking}");
    let reserve = event.reserve(2);
    let booking = reserve.booking_id;
    operator.get(&path(booking)).await.is_problem(404, "not-found");

    app.ask(reserve).await;
    let hold = operator.get(&path(booking)).await.is(200).body;
    assert_eq!([&hold["state"], &hold["tickets"]], [&json!("held"), &json!(0)]);
    assert_eq!([&hold["booking_id"], &hold["event_id"]], [&json!(booking), &json!(event.id)]);
    assert!(hold["user_id"].is_string());
    assert_eq!([&hold["items"][0]["quantity"], &hold["reason"]], [&json!(2), &Value::Null]);

    let tickets = app.confirmed(&event, booking).await;
    let hold = operator.get(&path(booking)).await.is(200).body;
    assert_eq!([&hold["state"], &hold["tickets"]], [&json!("sold"), &json!(2)]);
    for ticket in tickets {
        assert!(!hold.to_string().contains(&ticket.code.to_string()), "who knows it has it");
    }
    app.ask(event.release(booking)).await;
    let hold = operator.get(&path(booking)).await.is(200).body;
    assert_eq!([&hold["state"], &hold["used_tickets"]], [&json!("released"), &json!(0)]);

    // One that was never reserved, and one that was rejected.
    let never = BookingId(Uuid::now_v7());
    app.ask(event.release(never)).await;
    let hold = operator.get(&path(never)).await.is(200).body;
    assert_eq!([&hold["state"], &hold["user_id"]], [&json!("released"), &Value::Null]);
    assert_eq!(hold["items"], json!([]));
    let many = event.reserve(11);
    let rejected = many.booking_id;
    app.ask(many).await;
    let hold = operator.get(&path(rejected)).await.is(200).body;
    assert_eq!([&hold["state"], &hold["reason"]], ["rejected", "over_limit"]);

    organiser.get(&path(booking)).await.is_problem(403, "wrong-role");
    operator.get("/ops/event/holds/x").await.is_problem(404, "not-found");
    app.stop().await;
}
