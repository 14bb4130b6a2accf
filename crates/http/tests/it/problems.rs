//! Every general problem, and the order in which they are checked.

use karcis_kernel::Role;
use reqwest::{Method, RequestBuilder};

use crate::harness::{ProblemResponse, TestApp, token};

#[tokio::test]
async fn of_several_problems_the_first_in_the_contracts_order_is_returned() {
    let app = TestApp::open().await;
    let large = "x".repeat(65 * 1024);
    let organiser = token(Role::Organiser);
    let as_json = |request: RequestBuilder| request.header("content-type", "application/json");
    let cases: Vec<(&str, RequestBuilder, u16, &str)> = vec![
        (
            "404 before 405, 401 and 413",
            app.client.request(Method::TRACE, app.url("/nowhere")).body(large.clone()),
            404,
            "not-found",
        ),
        (
            "405 before 401 and 413",
            app.client.delete(app.url("/things")).body("x"),
            405,
            "method-not-allowed",
        ),
        ("401 before 403 and 415", app.post("/things").body("x"), 401, "not-logged-in"),
        (
            "403 before 413",
            app.post("/things").bearer_auth(token(Role::Buyer)).body("x"),
            403,
            "wrong-role",
        ),
        (
            "413 before 415",
            app.post("/things").bearer_auth(&organiser).body(large.clone()),
            413,
            "too-large",
        ),
        (
            "415 before 400",
            app.post("/things").bearer_auth(&organiser).body("{"),
            415,
            "unsupported-media-type",
        ),
        (
            "400 before 422",
            as_json(app.post("/things").bearer_auth(&organiser)).body(r#"{"unknown": 1, "#),
            400,
            "not-json",
        ),
        (
            "422 last",
            as_json(app.post("/things").bearer_auth(&organiser)).body("{}"),
            422,
            "invalid-input",
        ),
        ("404 of an id before 401", app.get("/things/no-id"), 404, "not-found"),
    ];
    for (case, request, status, slug) in cases {
        let problem = ProblemResponse::of(request).await;
        assert_eq!(
            (problem.status, problem.slug.as_str()),
            (status, slug),
            "{case}: {}",
            problem.body
        );
    }
}

#[tokio::test]
async fn a_405_names_the_allowed_methods() {
    let app = TestApp::open().await;
    let cases = [
        (Method::DELETE, "/things", "use GET or POST", "GET,HEAD,POST"),
        (Method::GET, "/things/update", "use PATCH or PUT", "PATCH,PUT"),
        (Method::OPTIONS, "/me", "use GET", "GET,HEAD"),
        (Method::POST, "/healthz", "use GET", "GET,HEAD"),
    ];
    for (method, path, detail, allow) in cases {
        let problem = ProblemResponse::of(app.client.request(method, app.url(path))).await;
        problem.is(405, "method-not-allowed");
        let sorted = |text: &str, by: &str| {
            let mut words: Vec<_> = text.split(by).map(str::to_owned).collect();
            words.sort();
            words
        };
        let verbs = problem.detail.strip_prefix("use ").expect("what to use");
        assert_eq!(sorted(verbs, " or "), sorted(&detail[4..], " or "));
        assert_eq!(sorted(problem.headers["allow"].to_str().unwrap(), ","), sorted(allow, ","));
    }
}

#[tokio::test]
async fn head_works_wherever_get_does() {
    let app = TestApp::open().await;
    let response = app.client.head(app.url("/public")).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn internal_causes_are_not_shown() {
    let app = TestApp::open().await;
    for (path, status, slug) in [
        ("/panic", 500, "internal-error"),
        ("/broken", 500, "internal-error"),
        ("/away", 503, "unavailable"),
    ] {
        let problem = ProblemResponse::of(app.get(path)).await;
        problem.is(status, slug);
        assert!(!problem.body.to_string().contains("secret"), "{}", problem.body);
        assert_eq!(problem.body.get("detail").is_some(), status == 503, "{}", problem.body);
    }
    assert_eq!(app.get("/public").send().await.unwrap().status(), 200, "it goes on after a panic");
}

#[tokio::test]
async fn a_429_or_503_says_when_to_try_again() {
    let app = TestApp::open().await;
    let busy = ProblemResponse::of(app.get("/busy")).await;
    assert_eq!(busy.is(429, "too-many-requests").headers["retry-after"], "30");
    let away = ProblemResponse::of(app.get("/away")).await;
    assert_eq!(away.is(503, "unavailable").headers["retry-after"], "2");
}

#[tokio::test]
async fn a_401_says_how_to_log_in() {
    let app = TestApp::open().await;
    let problem = ProblemResponse::of(app.get("/me")).await;
    assert_eq!(problem.is(401, "not-logged-in").headers["www-authenticate"], "Bearer");
    assert!(problem.detail.contains("POST /login"), "{}", problem.detail);
}

#[tokio::test]
async fn a_response_continues_its_callers_trace() {
    let app = TestApp::open().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("00-{trace}-00f067aa0ba902b7-01");
    let problem = ProblemResponse::of(app.get("/nowhere").header("traceparent", &header)).await;
    assert_eq!(problem.body["trace_id"], trace);
    assert_ne!(problem.headers["traceparent"], header, "the span is its own");
    let other = ProblemResponse::of(app.get("/nowhere").header("traceparent", "00-0-0-0")).await;
    assert_ne!(other.body["trace_id"], trace);
}
