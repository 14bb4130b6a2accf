//! Query strings, `Prefer`, and idempotency keys.

use karcis_http::IdempotencyKey;
use serde_json::{Value, json};

use crate::harness::{ProblemResponse, TestApp};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test]
async fn unknown_parameters_are_ignored_and_wrong_ones_named() {
    let app = TestApp::open().await;
    let whole = "give a whole number";
    let good = app.get(&format!("/things?event_id={ID}&limit=5&utm=x&q=a%20b&colour=red"));
    let response: Value = good.send().await.unwrap().json().await.unwrap();
    let expected = json!({"event_id": ID, "limit": 5, "q": "a b", "colour": "red", "id": null});
    assert_eq!(response, expected);
    for (query, field, message) in [
        ("", "event_id", "give this field"),
        ("event_id=5", "event_id", "give a UUID"),
        ("event_id=", "event_id", "give a UUID"),
        ("limit=many", "limit", whole),
        ("limit=", "limit", whole),
        ("limit=-1", "limit", whole),
        ("limit=70000", "limit", "give a smaller number"),
        ("colour=blue", "colour", "give one of red, green"),
        ("limit=1&limit=2", "limit", "give this field once"),
        ("q=a%00b", "q", "leave out the NUL character (%00)"),
    ] {
        let query = if query.contains("event_id") || query.is_empty() {
            query.to_owned()
        } else {
            format!("event_id={ID}&{query}")
        };
        let problem = ProblemResponse::of(app.get(&format!("/things?{query}"))).await;
        assert_eq!(problem.is(422, "invalid-input").field(), (field, message), "{query}");
    }
}

#[tokio::test]
async fn prefer_wait_is_at_most_ten_seconds() {
    let app = TestApp::open().await;
    for (prefer, wait) in [
        ("wait=3", json!(3)),
        ("Wait=0", json!(0)),
        ("wait=11", json!(10)),
        ("wait=99999999999999999999999", json!(10)),
        ("respond-async, wait=4; x=y", json!(4)),
        ("wait=\"5\"", json!(5)),
        ("wait = 6", json!(6)),
        ("wait=-1", json!(null)),
        ("wait=+1", json!(null)),
        ("wait", json!(null)),
        ("wait=", json!(null)),
        ("waiting=5", json!(null)),
    ] {
        let response = app.get("/wait").header("prefer", prefer).send().await.unwrap();
        assert_eq!(response.json::<Value>().await.unwrap(), wait, "{prefer}");
    }
    let none = app.get("/wait").send().await.unwrap();
    assert_eq!(none.json::<Value>().await.unwrap(), json!(null));
}

#[tokio::test]
async fn an_idempotency_key_is_short_visible_and_single() {
    let app = TestApp::open().await;
    let longest = "k".repeat(255);
    for key in ["a", "\"8e03978e-40d5\"", &longest] {
        let response = app.post("/keyed").header("idempotency-key", key).send().await.unwrap();
        assert_eq!(response.json::<Value>().await.unwrap(), json!(key));
    }
    let none = app.post("/keyed").send().await.unwrap();
    assert_eq!(none.json::<Value>().await.unwrap(), json!(null));
    for key in ["", "a b", "é", &"k".repeat(256)] {
        let problem = ProblemResponse::of(app.post("/keyed").header("idempotency-key", key)).await;
        assert_eq!(problem.is(422, "invalid-input").field().0, "Idempotency-Key", "{key}");
    }
    let two = app.post("/keyed").header("idempotency-key", "a").header("idempotency-key", "b");
    ProblemResponse::of(two).await.is(422, "invalid-input");
}

#[test]
fn a_fingerprint_depends_on_path_and_content_and_not_on_form() {
    let print = |path: &str, body: &str| {
        IdempotencyKey::fingerprint(path, &serde_json::from_str::<Value>(body).unwrap())
    };
    let first = print("/a", r#"{"x": {"b": 1, "a": [1, 2]}, "y": null}"#);
    assert_eq!(first.len(), 32);
    assert_eq!(first, print("/a", r#"{ "y":null,"x":{"a":[1,2],"b":1} }"#));
    for (path, body) in [
        ("/b", r#"{"x": {"b": 1, "a": [1, 2]}, "y": null}"#),
        ("/a", r#"{"x": {"b": 1, "a": [2, 1]}, "y": null}"#),
        ("/a", r#"{"x": {"b": 1, "a": [1, 2]}}"#),
    ] {
        assert_ne!(first, print(path, body), "{path} {body}");
    }
}
