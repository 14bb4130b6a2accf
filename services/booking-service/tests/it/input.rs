//! Bad input is named field by field.

use karcis_kernel::{EventId, TicketTypeId};
use karcis_testkit::Answer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{TestApp, order};

fn valid() -> Value {
    order(EventId(Uuid::from_u128(1)), TicketTypeId(Uuid::from_u128(2)))
}

/// The valid order with one of its members replaced.
fn with(member: &str, value: Value) -> Value {
    let mut order = valid();
    order[member] = value;
    order
}

#[tokio::test]
async fn each_wrong_field_of_an_order_is_named() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let item = |kind: u128, quantity: Value| json!({"ticket_type_id": Uuid::from_u128(kind), "quantity": quantity});
    let many: Vec<Value> = (0..21).map(|kind| item(kind, json!(1))).collect();
    let person =
        |kind: u128, name: &str| json!({"ticket_type_id": Uuid::from_u128(kind), "name": name});
    let money = |amount: i64| json!({"amount": amount, "currency": "IDR"});
    let cases = [
        (with("event_id", json!("x")), "event_id"),
        (with("event_id", Value::Null), "event_id"),
        (with("items", json!([])), "items"),
        (with("items", json!(many)), "items"),
        (with("items", json!([item(1, json!(0))])), "items[0].quantity"),
        (with("items", json!([item(1, json!(1_001))])), "items[0].quantity"),
        (with("items", json!([item(1, json!(-1))])), "items[0].quantity"),
        (with("items", json!([item(1, json!(1.5))])), "items[0].quantity"),
        (with("items", json!([item(1, json!("1"))])), "items[0].quantity"),
        (with("items", json!([item(1, json!(1)), item(1, json!(1))])), "items[1].ticket_type_id"),
        (with("items", json!([{"quantity": 1}])), "items[0].ticket_type_id"),
        (with("expected_total", money(-1)), "expected_total.amount"),
        (with("expected_total", money(1_000_000_000_001)), "expected_total.amount"),
        (
            with("expected_total", json!({"amount": 1, "currency": "XXX"})),
            "expected_total.currency",
        ),
        (with("attendees", json!([{"ticket_type_id": 2}])), "attendees[0].ticket_type_id"),
        (with("attendees", json!([person(3, "Sari")])), "attendees[0].ticket_type_id"),
        (with("attendees", json!([person(2, "")])), "attendees[0].name"),
        (with("attendees", json!([person(2, &"x".repeat(201))])), "attendees[0].name"),
        (with("attendees", json!([person(2, "a\u{202e}b")])), "attendees[0].name"),
        (with("attendees", json!(vec![person(2, "Sari"); 3])), "attendees[2].ticket_type_id"),
        (with("buyer", json!("somebody")), "buyer"),
        (json!({"event_id": Uuid::from_u128(1)}), "items"),
    ];
    for (order, field) in cases {
        let answer = buyer.post("/booking/create", &order).await.is_problem(422, "invalid-input");
        assert_eq!(answer.body["errors"][0]["field"], field, "{order}");
    }
    let all: Vec<Value> = (0..20).map(|kind| item(kind, json!(1_000))).collect();
    let nobody = [Value::Null, json!([])].map(|nobody| with("attendees", nobody));
    let good = [with("expected_total", Value::Null), with("items", json!(all))];
    for order in good.into_iter().chain(nobody) {
        buyer.post("/booking/create", &order).await.is(202);
    }
    app.stop().await;
}

#[tokio::test]
async fn requests_are_checked_in_the_contracts_order() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let request = app.visitor.request(Method::POST, "/booking/create").body("not even JSON");
    Answer::to(request).await.is_problem(401, "not-logged-in");
    let post = |body: &'static str| buyer.request(Method::POST, "/booking/create").body(body);
    let json_type =
        |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
    let cases = [
        (post("{}"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (json_type(post("{")), StatusCode::BAD_REQUEST),
        (json_type(post("[]")), StatusCode::UNPROCESSABLE_ENTITY),
        (json_type(post("{")).header("idempotency-key", "x".repeat(256)), StatusCode::BAD_REQUEST),
        (
            buyer
                .request(Method::POST, "/booking/create")
                .json(&valid())
                .header("idempotency-key", "a b"),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (buyer.request(Method::GET, "/booking/create"), StatusCode::METHOD_NOT_ALLOWED),
        (buyer.request(Method::GET, "/bookings/x"), StatusCode::NOT_FOUND),
        (buyer.request(Method::GET, "/bookings?limit=0"), StatusCode::UNPROCESSABLE_ENTITY),
        (buyer.request(Method::GET, "/bookings?limit=101"), StatusCode::UNPROCESSABLE_ENTITY),
        (buyer.request(Method::GET, "/bookings?cursor=x"), StatusCode::UNPROCESSABLE_ENTITY),
        (buyer.request(Method::GET, "/bookings?status=paid"), StatusCode::UNPROCESSABLE_ENTITY),
        (buyer.request(Method::GET, "/bookings?unknown=1"), StatusCode::OK),
        (
            buyer
                .request(Method::POST, "/booking/cancel")
                .json(&json!({"booking_id": Uuid::nil()})),
            StatusCode::NOT_FOUND,
        ),
        (
            buyer.request(Method::POST, "/booking/cancel").json(&json!({"booking_id": 1})),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ];
    for (index, (request, expected)) in cases.into_iter().enumerate() {
        let Answer { status, body, .. } = Answer::to(request).await;
        assert_eq!(status, expected, "case {index}: {body}");
    }
    app.stop().await;
}
