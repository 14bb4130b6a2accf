//! Every general problem, and the order in which they are looked for.

use karcis_kernel::Role;
use reqwest::{Method, RequestBuilder};

use crate::house::{House, Seen, token};

#[tokio::test]
async fn of_several_mistakes_the_first_in_the_contracts_order_is_answered() {
    let house = House::open().await;
    let large = "x".repeat(65 * 1024);
    let organiser = token(Role::Organiser);
    let as_json = |request: RequestBuilder| request.header("content-type", "application/json");
    let cases: Vec<(&str, RequestBuilder, u16, &str)> = vec![
        (
            "404 before 405, 401 and 413",
            house.client.request(Method::TRACE, house.url("/nowhere")).body(large.clone()),
            404,
            "not-found",
        ),
        (
            "405 before 401 and 413",
            house.client.delete(house.url("/things")).body("x"),
            405,
            "method-not-allowed",
        ),
        ("401 before 403 and 415", house.post("/things").body("x"), 401, "not-logged-in"),
        (
            "403 before 413",
            house.post("/things").bearer_auth(token(Role::Buyer)).body("x"),
            403,
            "wrong-role",
        ),
        (
            "413 before 415",
            house.post("/things").bearer_auth(&organiser).body(large.clone()),
            413,
            "too-large",
        ),
        (
            "415 before 400",
            house.post("/things").bearer_auth(&organiser).body("{"),
            415,
            "unsupported-media-type",
        ),
        (
            "400 before 422",
            as_json(house.post("/things").bearer_auth(&organiser)).body(r#"{"unknown": 1, "#),
            400,
            "not-json",
        ),
        (
            "422 last",
            as_json(house.post("/things").bearer_auth(&organiser)).body("{}"),
            422,
            "invalid-input",
        ),
        ("404 of an id before 401", house.get("/things/no-id"), 404, "not-found"),
    ];
    for (case, request, status, slug) in cases {
        let seen = Seen::of(request).await;
        assert_eq!((seen.status, seen.slug.as_str()), (status, slug), "{case}: {}", seen.body);
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let house = House::open().await;
    let cases = [
        (Method::DELETE, "/things", "use GET or POST", "GET,HEAD,POST"),
        (Method::GET, "/things/update", "use PATCH or PUT", "PATCH,PUT"),
        (Method::OPTIONS, "/me", "use GET", "GET,HEAD"),
        (Method::POST, "/healthz", "use GET", "GET,HEAD"),
    ];
    for (method, path, detail, allow) in cases {
        let seen = Seen::of(house.client.request(method, house.url(path))).await;
        seen.is(405, "method-not-allowed");
        let sorted = |text: &str, by: &str| {
            let mut words: Vec<_> = text.split(by).map(str::to_owned).collect();
            words.sort();
            words
        };
        let verbs = seen.detail.strip_prefix("use ").expect("what to use");
        assert_eq!(sorted(verbs, " or "), sorted(&detail[4..], " or "));
        assert_eq!(sorted(seen.headers["allow"].to_str().unwrap(), ","), sorted(allow, ","));
    }
}

#[tokio::test]
async fn a_head_request_is_answered_where_get_is() {
    let house = House::open().await;
    let answer = house.client.head(house.url("/public")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn nothing_shows_what_went_wrong_inside() {
    let house = House::open().await;
    for (path, status, slug) in [
        ("/panic", 500, "internal-error"),
        ("/broken", 500, "internal-error"),
        ("/away", 503, "unavailable"),
    ] {
        let seen = Seen::of(house.get(path)).await;
        seen.is(status, slug);
        assert!(!seen.body.to_string().contains("secret"), "{}", seen.body);
        assert_eq!(seen.body.get("detail").is_some(), status == 503, "{}", seen.body);
    }
    assert_eq!(
        house.get("/public").send().await.unwrap().status(),
        200,
        "it goes on after a panic"
    );
}

#[tokio::test]
async fn who_is_to_come_again_is_told_when() {
    let house = House::open().await;
    let busy = Seen::of(house.get("/busy")).await;
    assert_eq!(busy.is(429, "too-many-requests").headers["retry-after"], "30");
    let away = Seen::of(house.get("/away")).await;
    assert_eq!(away.is(503, "unavailable").headers["retry-after"], "2");
}

#[tokio::test]
async fn who_is_not_logged_in_is_told_how_to() {
    let house = House::open().await;
    let seen = Seen::of(house.get("/me")).await;
    assert_eq!(seen.is(401, "not-logged-in").headers["www-authenticate"], "Bearer");
    assert!(seen.detail.contains("POST /login"), "{}", seen.detail);
}

#[tokio::test]
async fn an_answer_continues_its_callers_trace() {
    let house = House::open().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("00-{trace}-00f067aa0ba902b7-01");
    let seen = Seen::of(house.get("/nowhere").header("traceparent", &header)).await;
    assert_eq!(seen.body["trace_id"], trace);
    assert_ne!(seen.headers["traceparent"], header, "the span is its own");
    let other = Seen::of(house.get("/nowhere").header("traceparent", "00-0-0-0")).await;
    assert_ne!(other.body["trace_id"], trace);
}
