//! The endpoints that every service has, and CORS.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::{http::StatusCode, routing::get};
use futures_util::future::join_all;
use karcis_http::TokenKeys;
use karcis_process::Readiness;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{ProblemResponse, Ready, Signer, TestApp, routes, thing_service};

fn keys() -> TokenKeys {
    TokenKeys::own(&Signer::new("k1", 1).keys())
}

#[tokio::test]
async fn the_root_lists_the_endpoints() {
    let app = TestApp::open().await;
    let index: Value = app.get("/").send().await.unwrap().json().await.unwrap();
    assert_eq!(index["service"], "thing-service");
    assert_eq!(index["about"], "keeps things");
    let endpoints = index["endpoints"].as_array().unwrap();
    for (method, path) in [("POST", "/things"), ("GET", "/things"), ("GET", "/openapi.json")] {
        let endpoint = json!({"method": method, "path": path});
        assert!(endpoints.contains(&endpoint), "{endpoint} is not in {index}");
    }
}

#[tokio::test]
async fn it_is_alive_while_it_is_not_ready_and_says_what_is_missing() {
    let mut unready = thing_service(
        routes(),
        TokenKeys::fetched_from("http://127.0.0.1:1/jwks", Duration::from_secs(60)),
    );
    unready.readiness = Arc::new(Ready(Err("the database does not answer")));
    let app = TestApp::of(unready).await;
    assert_eq!(app.get("/healthz").send().await.unwrap().status(), 200);
    let problem = ProblemResponse::of(app.get("/readyz")).await;
    assert_eq!(
        problem.is(503, "unavailable").detail,
        "the database does not answer; no signing keys yet"
    );

    let ready = TestApp::open().await.get("/readyz").send().await.unwrap();
    assert_eq!(ready.status(), 200);
}

/// Counts how often it was asked; it is ready until it is broken.
#[derive(Default)]
struct Counted {
    asked: AtomicU32,
    is_broken: AtomicBool,
}

#[async_trait]
impl Readiness for Counted {
    async fn ready(&self) -> Result<(), String> {
        self.asked.fetch_add(1, Relaxed);
        if self.is_broken.load(Relaxed) { Err("it is broken".to_owned()) } else { Ok(()) }
    }
}

#[tokio::test]
async fn whether_it_is_ready_is_found_out_four_times_a_second_however_many_ask() {
    let counted = Arc::new(Counted::default());
    let mut service = thing_service(routes(), keys());
    service.readiness = counted.clone();
    let app = TestApp::of(service).await;
    let began = Instant::now();
    for _ in 0..10 {
        let asks = (0..20).map(|_| async { app.get("/readyz").send().await.unwrap().status() });
        assert!(join_all(asks).await.iter().all(|status| *status == 200));
    }
    let most = 1 + began.elapsed().as_millis() / 250;
    assert!((1..=most).contains(&counted.asked.load(Relaxed).into()), "more often than {most}");

    counted.is_broken.store(true, Relaxed);
    let noticed = async {
        while app.get("/readyz").send().await.unwrap().status() != 503 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), noticed).await.expect("it is noticed soon");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_is_in_it() {
    let counted = routes().route("/counted/{id}", get(async || StatusCode::NO_CONTENT));
    let app = TestApp::of(thing_service(counted, keys())).await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    app.get(&format!("/counted/{id}")).send().await.unwrap();
    app.get("/nowhere/at-all").send().await.unwrap();
    app.get("/panic").send().await.unwrap();
    let made_up = Method::from_bytes(b"MADEUP").unwrap();
    app.client.request(made_up, app.url("/me")).send().await.unwrap();

    let metrics = app.get("/metrics").send().await.unwrap();
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let metrics = metrics.text().await.unwrap();
    for (method, route, status) in [
        ("GET", "/counted/{id}", "204"),
        ("GET", "unmatched", "404"),
        ("GET", "/panic", "500"),
        ("_OTHER", "/me", "405"),
    ] {
        let line = format!(
            r#"http_server_request_duration_seconds_count{{http_request_method="{method}",http_route="{route}",http_response_status_code="{status}"}} "#
        );
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains(id));
}

#[tokio::test]
async fn every_general_problem_has_a_page_at_its_type() {
    let app = TestApp::open().await;
    for slug in [
        "not-json",
        "not-logged-in",
        "wrong-role",
        "not-found",
        "method-not-allowed",
        "too-large",
        "unsupported-media-type",
        "invalid-input",
        "too-many-requests",
        "unavailable",
        "internal-error",
        "idempotency-key-reused",
    ] {
        let page = app.get(&format!("/problems/{slug}")).send().await.unwrap();
        assert_eq!(page.status(), 200, "{slug}");
        let text = page.text().await.unwrap();
        assert!(text.starts_with(&format!("# `{slug}` (")), "{slug}: {text}");
    }
    ProblemResponse::of(app.get("/problems/no-such-problem")).await.is(404, "not-found");
}

async fn preflight(app: &TestApp, origin: &str) -> reqwest::Response {
    let request = Client::new().request(Method::OPTIONS, app.url("/things"));
    let request = request
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,idempotency-key");
    request.send().await.unwrap()
}

#[tokio::test]
async fn pages_of_a_named_origin_may_call_and_others_may_not() {
    let origins = ["https://tickets.example", "http://localhost:5173/"];
    let app = TestApp::with_origins(thing_service(routes(), keys()), &origins).await;
    for origin in ["https://tickets.example", "http://localhost:5173"] {
        let allowed = preflight(&app, origin).await;
        assert_eq!(allowed.headers()["access-control-allow-origin"], origin);
        let headers = allowed.headers()["access-control-allow-headers"].to_str().unwrap();
        for name in [
            "authorization",
            "content-type",
            "idempotency-key",
            "prefer",
            "last-event-id",
            "traceparent",
        ] {
            assert!(headers.contains(name), "{name}: {headers}");
        }
        let response = app.get("/me").header("origin", origin).send().await.unwrap();
        let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
        for name in ["location", "retry-after", "idempotent-replayed", "traceparent"] {
            assert!(exposed.contains(name), "{name}: {exposed}");
        }
        assert_eq!(response.headers()["access-control-allow-origin"], origin, "errors too");
    }
    let other = preflight(&app, "https://evil.example").await;
    assert!(!other.headers().contains_key("access-control-allow-origin"));

    let closed = TestApp::open().await;
    let refused = preflight(&closed, "https://tickets.example").await;
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_star_allows_every_origin() {
    let app = TestApp::with_origins(thing_service(routes(), keys()), &["", "*"]).await;
    let allowed = preflight(&app, "https://anyone.example").await;
    assert_eq!(allowed.headers()["access-control-allow-origin"], "*");
}
