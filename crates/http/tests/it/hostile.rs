//! Bodies, queries and headers that are made to be expensive: what they get is short.

use karcis_kernel::Role;
use serde_json::Value;

use crate::{
    harness::{ProblemResponse, TestApp, token},
    hostile_bodies::{MAX_BODY_BYTES, bodies},
};

#[tokio::test]
async fn no_body_gets_an_answer_that_is_larger_than_a_body_may_be() {
    let app = TestApp::open().await;
    for (what, status, body) in bodies() {
        assert!(body.len() <= MAX_BODY_BYTES, "{what}: {} bytes", body.len());
        let request = app.post("/things").bearer_auth(token(Role::Organiser));
        let request = request.header("content-type", "application/json").body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{what}");
        let text = response.text().await.unwrap();
        let most = if status == 400 { 1024 } else { MAX_BODY_BYTES };
        assert!(text.len() <= most, "{what}: an answer of {} bytes", text.len());
        let problem: Value = serde_json::from_str(&text).unwrap();
        let errors = problem["errors"].as_array().map_or(0, Vec::len);
        assert!(errors <= 16, "{what}: {errors} errors");
        assert_eq!(errors == 0, status == 400, "{what}: {errors} errors");
    }
}

#[tokio::test]
async fn long_names_and_texts_are_cut_between_characters() {
    let app = TestApp::open().await;
    let body = format!(r#"{{"aa{}":0}}"#, "🎟".repeat(1_000));
    let request = app.post("/things").bearer_auth(token(Role::Organiser));
    let request = request.header("content-type", "application/json").body(body);
    let problem = ProblemResponse::of(request).await;
    let (field, message) = problem.is(422, "invalid-input").field();
    assert_eq!(field, format!("aa{}…", "🎟".repeat(31)));
    assert!(message.starts_with("there is no such field; the fields are name, "), "{message}");
}

#[tokio::test]
async fn what_a_query_or_a_path_or_a_header_says_is_not_repeated_at_length() {
    let app = TestApp::open().await;
    let long = "%01".repeat(4_000);
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (request, status) in [
        (app.get(&format!("/things?event_id={long}")), 422),
        (app.get(&format!("/things?event_id={id}&colour={long}")), 422),
        (app.get(&format!("/things?event_id={id}&{long}=%00")), 422),
        (app.get(&format!("/things?event_id={id}&{}", "limit=1&".repeat(1_500))), 422),
        (app.get(&format!("/{long}")), 404),
        (app.get(&format!("/problems/{long}")), 404),
        (app.post("/keyed").header("idempotency-key", "k".repeat(15_000)), 422),
        (app.get("/me").header("authorization", "b".repeat(15_000)), 401),
        (app.get("/me").bearer_auth("b".repeat(15_000)), 401),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        let text = response.text().await.unwrap();
        assert!(text.len() <= 4096, "{} bytes: {}", text.len(), &text[..200]);
    }
}
