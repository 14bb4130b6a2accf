//! What every answer tells browsers and caches, the one `Host`, and whose trace is continued.

use axum::{http::header::CACHE_CONTROL, routing::get};
use karcis_http::TokenKeys;
use karcis_kernel::Role;
use reqwest::{Response, header::HeaderMap};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{ProblemResponse, Signer, TestApp, routes, thing_service, token};

const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn app() -> karcis_http::App {
    let public = get(async || ([(CACHE_CONTROL, "public, max-age=300")], "for all"));
    let keys = TokenKeys::fixed(&Signer::new("k1", 1).keys());
    thing_service(routes().route("/cached", public), keys)
}

async fn headers(sent: impl Future<Output = reqwest::Result<Response>>) -> HeaderMap {
    sent.await.unwrap().headers().clone()
}

/// The whole answer to this request.
async fn answer(app: &TestApp, request: &str) -> String {
    let mut socket = TcpStream::connect(app.address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_not_do_with_it() {
    let app = TestApp::with_flags(app(), &["--web-origins", "https://tickets.example"]).await;
    let preflight = app.client.request(reqwest::Method::OPTIONS, app.url("/things"));
    let preflight = preflight
        .header("origin", "https://tickets.example")
        .header("access-control-request-method", "POST");
    for request in [
        app.get("/public"),
        app.get("/"),
        app.get("/me"),
        app.get("/nowhere"),
        app.get("/panic"),
        app.post("/me"),
        app.get("/things/no-id"),
        preflight,
    ] {
        let headers = headers(request.send()).await;
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["content-security-policy"], API_POLICY);
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert!(!headers.contains_key("strict-transport-security"), "only where it is set");
    }
}

#[tokio::test]
async fn the_pages_of_the_document_may_load_their_own_files() {
    let app = TestApp::open().await;
    for file in ["", "swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let headers = headers(app.get(&format!("/docs/{file}")).send()).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{file}: {policy}");
        }
    }
}

#[tokio::test]
async fn strict_transport_security_is_sent_where_it_is_set() {
    let value = "max-age=31536000; includeSubDomains";
    let app = TestApp::with_flags(app(), &["--hsts", value]).await;
    for path in ["/public", "/nowhere"] {
        assert_eq!(headers(app.get(path).send()).await["strict-transport-security"], value);
    }
}

#[tokio::test]
async fn what_a_token_was_sent_for_or_changes_something_is_in_no_cache() {
    let app = TestApp::of(app()).await;
    let token = token(Role::Buyer);
    for request in [
        app.get("/me").bearer_auth(&token),
        app.get("/public").bearer_auth(&token),
        app.get("/cached").bearer_auth(&token),
        app.get("/me").bearer_auth("no token"),
        app.get("/nowhere").bearer_auth(&token),
        app.post("/keyed"),
        app.post("/any").body("{}"),
    ] {
        assert_eq!(headers(request.send()).await["cache-control"], "no-store");
    }
    let for_all = headers(app.get("/cached").send()).await;
    assert_eq!(for_all["cache-control"], "public, max-age=300");
}

#[tokio::test]
async fn a_request_names_one_host() {
    let app = TestApp::open().await;
    for (lines, version, status) in [
        ("host: a\r\n", "1.1", 200),
        ("", "1.1", 400),
        ("host: a\r\nhost: b\r\n", "1.1", 400),
        ("host: a\r\nHost: a\r\n", "1.1", 400),
        ("", "1.0", 200),
        ("host: a\r\nhost: b\r\n", "1.0", 400),
    ] {
        let request = format!("GET /public HTTP/{version}\r\n{lines}connection: close\r\n\r\n");
        let answer = answer(&app, &request).await;
        assert!(answer.contains(&format!(" {status} ")), "{request}{answer}");
        assert_eq!(answer.contains("/problems/invalid-host"), status == 400, "{request}{answer}");
        assert!(answer.len() < 1024, "{answer}");
    }
}

#[tokio::test]
async fn a_strangers_trace_is_not_continued() {
    let sent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    for (trusted, continues) in
        [("192.0.2.0/24", false), ("", false), ("127.0.0.0/8", true), ("10.0.0.1, 127.0.0.1", true)]
    {
        let app = TestApp::with_flags(app(), &["--trusted-trace-peers", trusted]).await;
        let problem = ProblemResponse::of(app.get("/nowhere").header("traceparent", &sent)).await;
        assert_eq!(problem.body["trace_id"] == TRACE, continues, "trusted: {trusted:?}");
    }
}
