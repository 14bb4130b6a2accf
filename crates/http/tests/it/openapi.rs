//! A service's OpenAPI document and the pages that show it.

use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::harness::{ProblemResponse, TestApp};

async fn document() -> Value {
    let served = TestApp::open().await.get("/openapi.json").send().await.unwrap();
    assert_eq!(served.headers()["content-type"], "application/json");
    served.json().await.unwrap()
}

/// The slugs of an operation's problems of one status.
fn slugs(document: &Value, operation: &Value, status: &str) -> Vec<String> {
    let response = &operation["responses"][status];
    let shared = response["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    let response = shared.map_or(response, |path| document.pointer(path).unwrap());
    let examples = response["content"]["application/problem+json"]["examples"].as_object();
    examples.into_iter().flat_map(|examples| examples.keys().cloned()).collect()
}

#[tokio::test]
async fn an_operation_has_the_problems_of_what_it_takes() {
    let document = document().await;
    let make = &document["paths"]["/things"]["post"];
    for (status, expected) in [
        ("400", &["not-json"][..]),
        ("401", &["not-logged-in"]),
        ("403", &["wrong-role"]),
        ("404", &[]),
        ("409", &["email-taken"]),
        ("413", &["too-large"]),
        ("415", &["unsupported-media-type"]),
        ("422", &["idempotency-key-reused", "invalid-input"]),
        ("500", &["internal-error"]),
        ("503", &["unavailable"]),
    ] {
        assert_eq!(slugs(&document, make, status), expected, "{status}");
    }
    let look = &document["paths"]["/things"]["get"];
    assert_eq!(slugs(&document, look, "422"), ["invalid-input"]);
    for status in ["400", "401", "403", "413", "415"] {
        assert!(look["responses"].get(status).is_none(), "{status}");
    }
    assert_eq!(look["security"], json!([]), "anybody may");
}

#[tokio::test]
async fn a_request_allows_no_other_fields_and_its_example_is_made_of_its_fields() {
    let document = document().await;
    let schema = &document["components"]["schemas"]["Thing"];
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["required"], json!(["name", "capacity"]));
    let body = &document["paths"]["/things"]["post"]["requestBody"];
    let example = &body["content"]["application/json"]["example"];
    assert_eq!(example["price"], json!({"amount": 1_500_000, "currency": "IDR"}));
    assert_eq!(example["parts"], json!([{"label": "text", "quantity": 0}]));
}

#[tokio::test]
async fn a_response_has_every_field_whether_null_or_not() {
    let document = document().await;
    let required = &document["components"]["schemas"]["Search"]["required"];
    assert_eq!(*required, json!(["colour", "event_id", "id", "limit", "q"]));
}

#[tokio::test]
async fn swagger_ui_is_served_from_the_binary() {
    let app = TestApp::open().await;
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let leads = client.get(app.url("/docs")).send().await.unwrap();
    assert_eq!(
        (leads.status().as_u16(), &leads.headers()["location"]),
        (308, &"docs/".parse().unwrap())
    );

    for (file, kind) in [
        ("", "text/html"),
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-initializer.js", "text/javascript"),
    ] {
        let served = app.get(&format!("/docs/{file}")).send().await.unwrap();
        assert_eq!(served.status(), 200, "{file}");
        assert_eq!(served.headers()["content-type"], kind, "{file}");
    }
    let start = app.get("/docs/swagger-initializer.js").send().await.unwrap();
    assert!(start.text().await.unwrap().contains("../openapi.json"));
    ProblemResponse::of(app.get("/docs/no-such-file.js")).await.is(404, "not-found");
}
