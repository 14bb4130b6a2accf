//! JSON bodies: what is refused, and with which messages.

use karcis_kernel::Role;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::harness::{ProblemResponse, TestApp, token};

fn create(app: &TestApp, body: impl Into<reqwest::Body>) -> RequestBuilder {
    app.post("/things")
        .bearer_auth(token(Role::Organiser))
        .header("content-type", "application/json")
        .body(body)
}

#[tokio::test]
async fn a_valid_body_is_accepted_with_any_json_media_type() {
    let app = TestApp::open().await;
    let body = json!({"name": "Jazz", "capacity": 3, "parts": [{"label": "a", "quantity": 1}]});
    for kind in
        ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
    {
        let request = app.post("/things").bearer_auth(token(Role::Admin));
        let response =
            request.header("content-type", kind).body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 201, "{kind}");
        assert_eq!(response.json::<Value>().await.unwrap()["parts"], body["parts"]);
    }
}

#[tokio::test]
async fn another_media_type_is_refused_with_a_hint_to_curl_json() {
    let app = TestApp::open().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "json", "text/json", "a+json"] {
        let request = app.post("/any").header("content-type", kind).body("{}");
        let problem = ProblemResponse::of(request).await;
        problem.is(415, "unsupported-media-type");
        assert!(problem.detail.contains("curl --json"), "{}", problem.detail);
    }
}

#[tokio::test]
async fn text_that_is_not_json_is_400() {
    let app = TestApp::open().await;
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"  \n".to_vec(),
        b"{".to_vec(),
        b"{'name': 1}".to_vec(),
        b"{\"name\": \"a\",}".to_vec(),
        b"{} {}".to_vec(),
        b"{\"name\": \"a\nb\"}".to_vec(),
        b"{\"name\": \"\xff\"}".to_vec(),
        b"{\"name\": \"\\ud800\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"NaN".to_vec(),
        "[".repeat(60_000).into_bytes(),
        r#"{"a":"#.repeat(10_000).into_bytes(),
        [b"[".repeat(30_000), b"]".repeat(30_000)].concat(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let problem = ProblemResponse::of(create(&app, body)).await;
        assert_eq!(
            (problem.status, problem.slug.as_str()),
            (400, "not-json"),
            "{shown}: {}",
            problem.body
        );
        assert!(!problem.detail.is_empty());
    }
}

/// Asserts for each body which field is named, and with which message.
async fn are_refused(cases: &[(&str, &str, &str)]) {
    let app = TestApp::open().await;
    for &(body, field, message) in cases {
        let problem = ProblemResponse::of(create(&app, body.to_owned())).await;
        assert_eq!((problem.status, problem.slug.as_str()), (422, "invalid-input"), "{body}");
        assert_eq!(problem.field(), (field, message), "{body}");
    }
}

#[tokio::test]
async fn a_wrong_field_is_named_with_what_to_give() {
    const TIME: &str = "give a time such as 2026-05-01T19:30:00Z";
    const NAMES: &str = "name, capacity, parts, price, colour, starts_at, owner, ratio, on, extra";
    let unknown = format!("there is no such field; the fields are {NAMES}");
    are_refused(&[
        (r#"{"capacity": 1}"#, "name", "give this field"),
        (r#"{"name": null, "capacity": 1}"#, "name", "give a text, not null"),
        (r#"{"name": 5, "capacity": 1}"#, "name", "give a text"),
        (r#"{"name": "a", "capacity": 1, "size": 2}"#, "size", &unknown),
        (r#"{"name": "a", "capacity": 1, "capacity": 2}"#, "capacity", "give this field once"),
        (r#"{"name": "a", "capacity": 1, "parts": {}}"#, "parts", "give a list"),
        (r#"{"name": "a", "capacity": 1, "parts": [3]}"#, "parts[0]", "give an object"),
        (
            r#"{"name": "a", "capacity": 1, "parts": [{"label": "b", "quantity": 1}, {"label": "c"}]}"#,
            "parts[1].quantity",
            "give this field",
        ),
        (
            r#"{"name": "a", "capacity": 1, "parts": [{"label": "b", "quantity": 1, "x.y": 0}]}"#,
            "parts[0].x.y",
            "there is no such field; the fields are label, quantity",
        ),
        (
            r#"{"name": "a", "capacity": 1, "price": {"amount": 1, "currency": "XXX"}}"#,
            "price.currency",
            "give one of IDR, JPY, USD, EUR, SGD, MYR",
        ),
        (
            r#"{"name": "a", "capacity": 1, "price": "Rp 50.000"}"#,
            "price",
            "give an object, not a text",
        ),
        (
            r#"{"name": "a", "capacity": 1, "price": {"amount": 1, "currency": {"IDR": null}}}"#,
            "price.currency",
            "give a text",
        ),
        (r#"{"name": "a", "capacity": 1, "price": 5}"#, "price", "give an object"),
        (r#"{"name": "a", "capacity": 1, "colour": "blue"}"#, "colour", "give one of red, green"),
        (r#"{"name": "a", "capacity": 1, "colour": {"red": null}}"#, "colour", "give a text"),
        (r#"{"name": "a", "capacity": 1, "colour": ["red"]}"#, "colour", "give a text"),
        (r#"{"name": "a", "capacity": 1, "colour": 1}"#, "colour", "give a text"),
        (r#"{"name": "a", "capacity": 1, "starts_at": "tomorrow"}"#, "starts_at", TIME),
        (
            r#"{"name": "a", "capacity": 1, "starts_at": "2026-05-01T19:30:00+0700"}"#,
            "starts_at",
            "give a time such as 2026-05-01T19:30:00Z: write its offset with a colon, such as +07:00",
        ),
        (r#"{"name": "a", "capacity": 1, "starts_at": "2026-13-01T19:30:00Z"}"#, "starts_at", TIME),
        (r#"{"name": "a", "capacity": 1, "starts_at": 5}"#, "starts_at", TIME),
        (r#"{"name": "a", "capacity": 1, "owner": "me"}"#, "owner", "give a UUID"),
        (r#"{"name": "a", "capacity": 1, "owner": 7}"#, "owner", "give a UUID"),
        (r#"{"name": "a", "capacity": 1, "on": "yes"}"#, "on", "give true or false, not a text"),
        (r#"[]"#, "body", "give an object"),
        (r#" ["a", 1, null, null, null, null, null, null, null, null]"#, "body", "give an object"),
        (r#"3"#, "body", "give an object"),
        (r#"null"#, "body", "give an object"),
    ])
    .await;
}

#[tokio::test]
async fn a_wrong_number_is_named_without_the_limits_of_a_machine() {
    const WHOLE: &str = "give a whole number, without decimal point or exponent";
    const LARGER: &str = "give a larger number";
    const SMALLER: &str = "give a smaller number";
    const NOT_TEXT: &str = "give a whole number, not a text";
    are_refused(&[
        (r#"{"name": "a", "capacity": "3"}"#, "capacity", NOT_TEXT),
        (r#"{"name": "a", "capacity": -1}"#, "capacity", LARGER),
        (r#"{"name": "a", "capacity": 1.5}"#, "capacity", WHOLE),
        (r#"{"name": "a", "capacity": 4294967296}"#, "capacity", SMALLER),
        (r#"{"name": "a", "capacity": 7.0}"#, "capacity", WHOLE),
        (r#"{"name": "a", "capacity": null}"#, "capacity", "give a whole number, not null"),
        (r#"{"name": "a", "capacity": true}"#, "capacity", "give a whole number"),
        (r#"{"name": "a", "capacity": 18446744073709551616}"#, "capacity", SMALLER),
        (r#"{"name": "a", "capacity": 1e30}"#, "capacity", SMALLER),
        (r#"{"name": "a", "capacity": 1e3}"#, "capacity", WHOLE),
        (r#"{"name": "a", "capacity": 1e999}"#, "capacity", SMALLER),
        (r#"{"name": "a", "capacity": [1]}"#, "capacity", "give a whole number"),
        (
            r#"{"name": "a", "capacity": 1, "parts": [{"label": "b", "quantity": 256}]}"#,
            "parts[0].quantity",
            SMALLER,
        ),
        (
            r#"{"name": "a", "capacity": 1, "price": {"amount": 9223372036854775808, "currency": "IDR"}}"#,
            "price.amount",
            SMALLER,
        ),
        (
            r#"{"name": "a", "capacity": 1, "price": {"amount": -9223372036854775809, "currency": "IDR"}}"#,
            "price.amount",
            LARGER,
        ),
        (
            r#"{"name": "a", "capacity": 1, "price": {"amount": 12.5, "currency": "EUR"}}"#,
            "price.amount",
            WHOLE,
        ),
        (r#"{"name": "a", "capacity": 1, "ratio": "1"}"#, "ratio", "give a number, not a text"),
    ])
    .await;
}

#[tokio::test]
async fn a_nul_is_refused_everywhere() {
    let app = TestApp::open().await;
    let cases = [
        (r#"{"name": "a\u0000b", "capacity": 1}"#, "name"),
        (
            r#"{"name": "a", "capacity": 1, "parts": [{"label": "\u0000", "quantity": 1}]}"#,
            "parts[0].label",
        ),
        (
            r#"{"name": "a", "capacity": 1, "extra": {"deep": [0, {"er": "\u0000"}]}}"#,
            "extra.deep[1].er",
        ),
        (r#"{"name": "a", "capacity": 1, "extra": {"\u0000": 1}}"#, "extra.\0"),
    ];
    for (body, field) in cases {
        let problem = ProblemResponse::of(create(&app, body)).await;
        problem.is(422, "invalid-input");
        assert_eq!(problem.field(), (field, "leave out the NUL character (\\u0000)"));
    }
    let harmless = r#"{"name": "a\\u0000b", "capacity": 1}"#;
    assert_eq!(create(&app, harmless).send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn a_field_given_twice_is_refused_in_free_objects_too() {
    let app = TestApp::open().await;
    let body = r#"{"name": "a", "capacity": 1, "extra": {"b": {"c": 1, "c": 2}}}"#;
    let problem = ProblemResponse::of(create(&app, body)).await;
    assert_eq!(problem.is(422, "invalid-input").field(), ("extra.b.c", "give this field once"));
}

#[tokio::test]
async fn sixty_four_kib_are_accepted_and_a_byte_more_is_not() {
    let app = TestApp::open().await;
    let text = |bytes: usize| format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - 8));
    let post = |body: reqwest::Body| {
        app.post("/any").header("content-type", "application/json").body(body)
    };
    let chunked = |text: String| {
        let chunks: Vec<_> =
            text.into_bytes().chunks(10_000).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect();
        reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
    };
    assert_eq!(post(text(65_536).into()).send().await.unwrap().status(), 200);
    assert_eq!(post(chunked(text(65_536))).send().await.unwrap().status(), 200);
    for bytes in [65_537, 900_000] {
        ProblemResponse::of(post(text(bytes).into())).await.is(413, "too-large");
        ProblemResponse::of(post(chunked(text(bytes)))).await.is(413, "too-large");
    }
}
