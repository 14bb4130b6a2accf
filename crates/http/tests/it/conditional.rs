//! `ETag`, `If-None-Match` and `If-Match`.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use axum::{
    Router,
    routing::{get, put},
};
use karcis_http::{IfMatch, IfNoneMatch, Problem, TokenKeys};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::{ProblemResponse, Signer, TestApp, thing_service};

/// A thing at version 3 with so many seats left, read again for each answer.
async fn open(seats: &Arc<AtomicI64>) -> TestApp {
    let (seats, reads) = (seats.clone(), Arc::new(AtomicI64::new(0)));
    let show = get(async move |known: IfNoneMatch| {
        let as_of = reads.fetch_add(1, Relaxed);
        known.answer(3, json!({"seats": seats.load(Relaxed), "as_of": as_of}))
    });
    let update = put(async |seen: Result<IfMatch, Problem>| {
        Ok::<_, Problem>(format!("{:?}", seen?.or(None)?))
    });
    let both = put(async |seen: IfMatch| Ok::<_, Problem>(format!("{:?}", seen.or(Some(3))?)));
    let routes = Router::new().route("/thing", show.merge(update)).route("/both", both);
    let keys = TokenKeys::own(&Signer::new("k1", 1).keys());
    let origins = ["https://tickets.example"];
    TestApp::with_origins(thing_service(routes, keys), &origins).await
}

async fn text(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

#[tokio::test]
async fn what_the_client_knows_is_not_sent_again() {
    let seats = Arc::new(AtomicI64::new(7));
    let app = open(&seats).await;
    let first = app.get("/thing").send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with("\"3-") && tag.ends_with('"'), "{tag}");
    assert!(first.text().await.unwrap().contains("\"as_of\":0"));

    let others = "\"1-00\", ";
    for known in [&tag, "*", &format!("W/{tag}"), &format!("{others}{tag}"), &format!(" , {tag} ,")]
    {
        for method in [Method::GET, Method::HEAD] {
            let request = app.client.request(method, app.url("/thing"));
            let response = request.header("if-none-match", known).send().await.unwrap();
            assert_eq!(response.status(), 304, "{known}");
            assert_eq!(response.headers()["etag"], tag);
            assert!(response.headers().contains_key("x-content-type-options"));
            assert_eq!(response.bytes().await.unwrap().len(), 0);
        }
    }
    for unknown in ["", "\"\"", others, "3", &tag[1..tag.len() - 1], "\"3-0000000000000000\""] {
        let request = app.get("/thing").header("if-none-match", unknown);
        assert!(text(request).await.contains("\"seats\":7"), "{unknown}");
    }

    seats.store(6, Relaxed);
    let sold = app.get("/thing").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(sold.status(), 200, "a seat was sold, which is no edit");
    assert_ne!(sold.headers()["etag"], tag);
    assert!(sold.headers()["etag"].to_str().unwrap().starts_with("\"3-"));
}

#[tokio::test]
async fn if_match_says_the_version() {
    let app = open(&Arc::default()).await;
    let update = |path: &str, tag: &str| app.client.put(app.url(path)).header("if-match", tag);
    for (tag, version) in [
        ("\"3-4a1f0c2e9b7d6558\"", "Some(3)"),
        ("W/\"3-4a1f0c2e9b7d6558\"", "Some(3)"),
        ("\"12\"", "Some(12)"),
        ("*", "None"),
        ("\"of another server\"", "Some(0)"),
        ("\"\"", "Some(0)"),
    ] {
        assert_eq!(text(update("/thing", tag)).await, version, "{tag}");
    }
    assert_eq!(text(app.client.put(app.url("/thing"))).await, "None");
    for tag in ["", ",", "3", "\"3-4a", "\"3\", \"4\"", "*, \"3\""] {
        let problem = ProblemResponse::of(update("/thing", tag)).await;
        let field = problem.is(422, "invalid-input").field();
        assert_eq!(field, ("If-Match", "give the ETag of what you have read, or *"), "{tag}");
    }
}

#[tokio::test]
async fn if_match_and_a_version_in_the_body_say_the_same() {
    let app = open(&Arc::default()).await;
    let update = |tag: &str| app.client.put(app.url("/both")).header("if-match", tag);
    for tag in ["\"3-aa\"", "*"] {
        assert_eq!(text(update(tag)).await, "Some(3)", "{tag}");
    }
    let problem = ProblemResponse::of(update("\"4-aa\"")).await;
    assert_eq!(problem.is(422, "invalid-input").field().0, "If-Match");
}

#[tokio::test]
async fn pages_of_other_origins_may_use_them() {
    let app = open(&Arc::default()).await;
    let request = app.client.request(Method::OPTIONS, app.url("/thing"));
    let preflight = request
        .header("origin", "https://tickets.example")
        .header("access-control-request-method", "PUT");
    let headers = preflight.send().await.unwrap().headers().clone();
    let allowed = headers["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("if-match") && allowed.contains("if-none-match"), "{allowed}");
    let request = app.get("/thing").header("origin", "https://tickets.example");
    let headers = request.send().await.unwrap().headers().clone();
    let exposed = headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("etag"), "{exposed}");
}
