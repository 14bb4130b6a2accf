//! What is taken, and what bad input is answered with.

use serde_json::{Value, json};

use karcis_testkit::Answer;

use crate::harness::{Buyer, TestApp};

#[tokio::test]
async fn the_methods_are_public() {
    let app = TestApp::start().await;
    let answer = Answer::to(app.get("/payment/methods")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["next_cursor"], json!(null));
    let items = answer.body["items"].as_array().unwrap();
    for token in [
        "tok_approved",
        "tok_insufficient_funds",
        "tok_stolen_card",
        "tok_slow",
        "tok_action_required",
        "tok_virtual_account",
        "tok_qr",
        "tok_answer_lost",
        "tok_never_arrives",
        "tok_executes_late",
        "tok_refund_pending",
        "tok_refund_refused",
    ] {
        let item = items.iter().find(|item| item["method"] == token).unwrap();
        assert!(item["label"].as_str().is_some_and(|label| !label.is_empty()));
        assert!(item["description"].as_str().is_some_and(|about| !about.is_empty()));
    }
}

#[tokio::test]
async fn bad_payments_are_refused_and_say_which_field() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let booking = buyer.booking;
    let long = "k".repeat(256);
    let good = json!({"booking_id": booking, "method": "tok_approved"});
    let cases: [(Value, Option<&str>, u16, &str); 12] = [
        (json!({"booking_id": booking}), None, 422, "method"),
        (json!({"method": "tok_approved"}), None, 422, "booking_id"),
        (json!({"booking_id": "1", "method": "tok_approved"}), None, 422, "booking_id"),
        (json!({"booking_id": 1, "method": "tok_approved"}), None, 422, "booking_id"),
        (json!({"booking_id": null, "method": "tok_approved"}), None, 422, "booking_id"),
        (json!({"booking_id": booking, "method": "tok_unknown"}), None, 422, "method"),
        (json!({"booking_id": booking, "method": ""}), None, 422, "method"),
        (json!({"booking_id": booking, "method": ["tok_approved"]}), None, 422, "method"),
        (json!({"booking_id": booking, "method": "tok_approved\u{0}"}), None, 422, "method"),
        (
            json!({"booking_id": booking, "method": "tok_approved", "amount": 1}),
            None,
            422,
            "amount",
        ),
        (good.clone(), Some(&long), 422, "Idempotency-Key"),
        (good.clone(), Some(""), 422, "Idempotency-Key"),
    ];
    for (body, key, status, field) in cases {
        let mut request = app.post("/payment/process").bearer_auth(app.token(buyer)).json(&body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, status, "{body} → {}", answer.body);
        assert_eq!(answer.body["type"], "/problems/invalid-input", "{body} → {}", answer.body);
        let fields = answer.body["errors"].as_array().unwrap();
        assert!(fields.iter().any(|error| error["field"] == field), "{body} → {}", answer.body);
    }
    assert_eq!(app.payment(buyer).await["attempts"], json!([]));
}

#[tokio::test]
async fn the_form_of_a_request_is_checked_before_what_it_says() {
    let app = TestApp::start().await;
    let buyer = app.buyer().await;
    let post = || app.post("/payment/process");
    let token = app.token(buyer);
    let good = json!({"booking_id": buyer.booking, "method": "tok_approved"}).to_string();
    let json_type = ("Content-Type", "application/json");
    let cases = [
        (post().body("{"), 401, "not-logged-in"),
        (post().bearer_auth("x.y.z").body(good.clone()), 401, "not-logged-in"),
        (post().bearer_auth(&token).body(good.clone()), 415, "unsupported-media-type"),
        (
            post().bearer_auth(&token).header("Content-Type", "text/plain").body(good),
            415,
            "unsupported-media-type",
        ),
        (post().bearer_auth(&token).header(json_type.0, json_type.1).body("{"), 400, "not-json"),
        (
            post()
                .bearer_auth(&token)
                .header(json_type.0, json_type.1)
                .header("Idempotency-Key", "")
                .body("{"),
            400,
            "not-json",
        ),
        (
            post().bearer_auth(&token).header(json_type.0, json_type.1).body(" ".repeat(70_000)),
            413,
            "too-large",
        ),
        (app.get("/payment/process").bearer_auth(&token), 405, "method-not-allowed"),
        (app.get("/payment/status"), 401, "not-logged-in"),
        (app.get("/payment/status").bearer_auth(&token), 422, "invalid-input"),
        (app.get("/payment/status?booking_id=7").bearer_auth(&token), 422, "invalid-input"),
        (app.get("/payment/nothing").bearer_auth(&token), 404, "not-found"),
    ];
    for (request, status, slug) in cases {
        Answer::to(request).await.is_problem(status, slug);
    }
    let unknown = format!("/payment/status?booking_id={}", Buyer::new().booking);
    Answer::to(app.get(&unknown).bearer_auth(&token)).await.is_problem(404, "not-found");
    assert_eq!(app.payment(buyer).await["status"], "open");
}
