//! Requests that never reach a handler, as they cannot be read: what they get is a problem too.

use std::io;

use karcis_http::TokenKeys;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{ProblemResponse, Signer, TestApp, routes, thing_service};

/// The head and the body of the last answer, once everything is sent and the connection is closed.
async fn refused(app: &TestApp, request: &[u8]) -> (String, Value) {
    let mut socket = TcpStream::connect(app.address).await.unwrap();
    let (mut reading, mut writing) = socket.split();
    let mut answer = String::new();
    let (sent, read) =
        tokio::join!(writing.write_all(request), reading.read_to_string(&mut answer));
    sent.unwrap();
    read.expect("the answer is not cut by a reset");
    let last = answer.rfind("HTTP/1.1 ").expect("an answer");
    let (head, body) = answer[last..].split_once("\r\n\r\n").expect("a head");
    let length = format!("content-length: {}\r\n", body.len());
    assert!(format!("{head}\r\n").contains(&length), "{head}");
    (head.to_owned(), serde_json::from_str(body).expect("JSON"))
}

fn is_problem(what: &str, (head, body): &(String, Value), status: u16, slug: &str) {
    let words: Vec<_> = head.split(' ').take(2).collect();
    assert_eq!(words, ["HTTP/1.1", &status.to_string()], "{what}: {head}");
    assert_eq!(body["status"], status, "{what}");
    assert_eq!(body["type"], format!("/problems/{slug}"), "{what}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{what}");
    let trace = body["trace_id"].as_str().expect("a trace id");
    for header in [
        "content-type: application/problem+json",
        "connection: close",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        "referrer-policy: no-referrer",
        "strict-transport-security: max-age=60",
        "date: ",
        &format!("traceparent: 00-{trace}-"),
    ] {
        let lines = head.lines().filter(|line| line.starts_with(header));
        assert_eq!(lines.count(), 1, "{what}: {header}: {head}");
    }
}

async fn app() -> TestApp {
    let app = thing_service(routes(), TokenKeys::own(&Signer::new("k1", 1).keys()));
    TestApp::with_flags(app, &["--hsts", "max-age=60"]).await
}

#[tokio::test]
async fn what_is_no_http_gets_a_problem() {
    let app = app().await;
    for request in [
        "GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /a\u{7f} HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /public HTTP/4.2\r\nhost: a\r\n\r\n",
        "GET\t/public HTTP/1.1\r\nhost: a\r\n\r\n",
        "(/public) HTTP/1.1\r\nhost: a\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\r\n\r\n",
        "GET /public HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
        "GET /public HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET /public HTTP/1.1\r\nhost: a\r\nx: \u{0}\r\n\r\n",
        "POST /any HTTP/1.1\r\nhost: a\r\ncontent-length: many\r\n\r\n",
        "POST /any HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "POST /any HTTP/1.1\r\nhost: a\r\ntransfer-encoding: brotli\r\n\r\n",
    ] {
        let refused = refused(&app, request.as_bytes()).await;
        is_problem(request, &refused, 400, "malformed-request");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_gets_a_problem_which_arrives_though_more_is_sent() {
    let app = app().await;
    let long = |bytes: usize| "x".repeat(bytes);
    let lines = |count: usize| "x: y\r\n".repeat(count);
    for (what, request) in [
        ("path", format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", long(20_000))),
        ("a longer path", format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", long(70_000))),
        ("query", format!("GET /public?{} HTTP/1.1\r\nhost: a\r\n\r\n", long(20_000))),
        ("method", format!("{} / HTTP/1.1\r\nhost: a\r\n\r\n", long(20_000))),
        ("header", format!("GET /public HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", long(20_000))),
        ("400 KB", format!("GET /public HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", long(400_000))),
        ("headers", format!("GET /public HTTP/1.1\r\nhost: a\r\n{}\r\n", lines(150))),
    ] {
        let refused = refused(&app, request.as_bytes()).await;
        is_problem(what, &refused, 431, "head-too-large");
    }
}

#[tokio::test]
async fn a_malformed_request_behind_good_ones_is_refused_alone() {
    let app = app().await;
    let requests = "GET /public HTTP/1.1\r\nhost: a\r\n\r\n\
                    POST /any HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                    content-length: 2\r\n\r\n{}nonsense\r\n\r\n";
    let refused = refused(&app, requests.as_bytes()).await;
    is_problem("pipelined", &refused, 400, "malformed-request");
}

#[tokio::test]
async fn who_was_refused_and_sends_on_for_ever_is_cut() {
    let app = app().await;
    let mut socket = TcpStream::connect(app.address).await.unwrap();
    let (mut reading, mut writing) = socket.split();
    let endless = async {
        loop {
            writing.write_all(&[b'x'; 65_536]).await?;
        }
    };
    let mut answer = String::new();
    let sent: (io::Result<()>, _) = tokio::join!(endless, reading.read_to_string(&mut answer));
    assert!(sent.0.is_err());
}

#[tokio::test]
async fn a_path_that_cannot_be_decoded_is_not_found() {
    let app = TestApp::open().await;
    for path in
        ["/things/%ff", "/problems/%c3%28", "/docs/%ff.css", "/%ff", "/things/%", "/things/%zz"]
    {
        ProblemResponse::of(app.get(path)).await.is(404, "not-found");
    }
}

#[tokio::test]
async fn requests_in_unusual_forms_get_problems() {
    let app = app().await;
    for (request, status, slug) in [
        ("GET /things/%ff HTTP/1.1", 404, "not-found"),
        ("GET /things/\u{e9} HTTP/1.1", 404, "not-found"),
        ("OPTIONS * HTTP/1.1", 404, "not-found"),
        ("CONNECT a:80 HTTP/1.1", 404, "not-found"),
        ("GET http://a/nowhere HTTP/1.1", 404, "not-found"),
        ("BREW /public HTTP/1.1", 405, "method-not-allowed"),
        ("TRACE / HTTP/1.1", 405, "method-not-allowed"),
    ] {
        let request = format!("{request}\r\nhost: a\r\nconnection: close\r\n\r\n");
        let refused = refused(&app, request.as_bytes()).await;
        is_problem(&request, &refused, status, slug);
    }
}
