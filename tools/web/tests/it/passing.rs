//! Calls that are passed on: what the service sees, and what comes back.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::IntoResponse,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Mutex, mpsc},
    time::timeout,
};

use crate::harness::{TestSite, answer, header};

/// More than anything here takes, unless it waits for what never comes.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_service_sees_the_request_and_for_whom_it_is() {
    let site = TestSite::before(Router::new()).await;
    let request = site.post("/booking/create?a=b%20c").header("prefer", "wait=10");
    let request = request.header("x-forwarded-for", "203.0.113.7").header("cookie", "a=b");
    let request = request.header("forwarded", "for=203.0.113.7").header("host", "shop.example");
    let (status, said) = answer(request.header("x-forwarded-host", "other").body("{}")).await;
    assert_eq!((status, &said["service"]), (200, &"booking".into()));
    assert_eq!((&said["path"], &said["body"]), (&"/booking/create?a=b%20c".into(), &"{}".into()));
    let headers = &said["headers"];
    for (name, value) in [
        ("prefer", "wait=10"),
        ("content-length", "2"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "shop.example"),
        ("x-forwarded-proto", "http"),
    ] {
        assert_eq!(headers[name], value, "{headers}");
    }
    for name in ["cookie", "forwarded", "transfer-encoding"] {
        assert_eq!(headers[name], Value::Null, "{headers}");
    }
    assert!(headers["traceparent"].is_string(), "{headers}");
}

#[tokio::test]
async fn a_trusted_proxy_says_for_whom_it_asks() {
    let flags = ["--trusted-proxies", "127.0.0.1"];
    let site = TestSite::with_flags(Router::new(), &flags).await;
    let request = site.get("/events").header("x-forwarded-for", "10.1.1.1, 203.0.113.7");
    let request = request.header("x-forwarded-proto", "https");
    let (_, said) = answer(request.header("x-forwarded-host", "shop.example")).await;
    let headers = &said["headers"];
    assert_eq!(headers["x-forwarded-for"], "203.0.113.7", "{headers}");
    assert_eq!(headers["x-forwarded-proto"], "https", "{headers}");
    assert_eq!(headers["x-forwarded-host"], "shop.example", "{headers}");
}

#[tokio::test]
async fn what_is_about_one_connection_stays_there() {
    let routes = Router::new().route(
        "/events/hop",
        get(async || {
            [("connection", "x-own"), ("x-own", "1"), ("keep-alive", "5"), ("x-kept", "1")]
        }),
    );
    let site = TestSite::before(routes).await;
    let mut socket = TcpStream::connect(site.address).await.expect("connects");
    let request = "GET /events HTTP/1.1\r\nhost: a\r\nconnection: close, X-Mine\r\nx-mine: 1\r\n\
                   te: trailers\r\nupgrade: h2c\r\nproxy-authorization: b\r\nx-other: 2\r\n\r\n";
    socket.write_all(request.as_bytes()).await.expect("writes");
    let mut response = String::new();
    socket.read_to_string(&mut response).await.expect("reads");
    let (_, said) = response.split_once("\r\n\r\n").expect("has a body");
    let said: Value = serde_json::from_str(said).expect("is JSON");
    for name in ["connection", "x-mine", "te", "upgrade", "proxy-authorization"] {
        assert_eq!(said["headers"][name], Value::Null, "{said}");
    }
    assert_eq!(said["headers"]["x-other"], "2", "{said}");

    let response = site.get("/events/hop").send().await.expect("an answer");
    for name in ["x-own", "keep-alive"] {
        assert_eq!(header(&response, name), "", "{name}");
    }
    assert_eq!(header(&response, "x-kept"), "1");
}

#[tokio::test]
async fn bodies_pass_both_ways_as_they_come() {
    let echo = async |request: Request| Body::new(request.into_body()).into_response();
    let site = TestSite::before(Router::new().route("/event/echo", post(echo))).await;
    let (said, heard) = mpsc::unbounded_channel::<Bytes>();
    let parts = stream::unfold(heard, async |mut heard| {
        heard.recv().await.map(|part| (Ok::<_, std::io::Error>(part), heard))
    });
    let request = site.post("/event/echo").body(reqwest::Body::wrap_stream(parts));
    said.send("one".into()).expect("is read");
    let mut answered = timeout(SOON, request.send()).await.expect("begins").expect("an answer");
    for (part, next) in [("one", Some("two")), ("two", None)] {
        let chunk = timeout(SOON, answered.chunk()).await.expect("comes at once");
        assert_eq!(chunk.expect("goes on"), Some(part.into()));
        if let Some(next) = next {
            said.send(next.into()).expect("is read");
        }
    }
    drop(said);
    assert_eq!(answered.chunk().await.expect("ends in order"), None);
}

#[tokio::test]
async fn a_live_stream_is_live_and_ends_when_the_gateway_stops() {
    let (push, pushed) = mpsc::unbounded_channel::<Bytes>();
    let pushed = std::sync::Arc::new(Mutex::new(pushed));
    let live = async move || {
        let parts = stream::unfold(pushed, async |pushed| {
            let part = pushed.lock().await.recv().await;
            part.map(|part| (Ok::<_, std::io::Error>(part), pushed))
        });
        ([("content-type", "text/event-stream")], Body::from_stream(parts.boxed()))
    };
    let site = TestSite::before(Router::new().route("/bookings/live", get(live))).await;
    let request = site.get("/bookings/live").header("last-event-id", "7");
    let mut answered = timeout(SOON, request.send()).await.expect("begins").expect("an answer");
    assert_eq!(header(&answered, "content-type"), "text/event-stream");
    for event in ["id: 8\ndata: {}\n\n", "id: 9\ndata: {}\n\n"] {
        push.send(event.into()).expect("somebody listens");
        let chunk = timeout(SOON, answered.chunk()).await.expect("comes at once");
        assert_eq!(chunk.expect("goes on"), Some(event.into()));
    }
    site.stopping.cancel();
    let end = timeout(SOON, answered.chunk()).await.expect("ends");
    assert_eq!(end.expect("in order"), None);
}

#[tokio::test]
async fn a_service_that_is_away_is_unavailable() {
    let site = TestSite::before_nobody().await;
    for path in ["/events", "/bookings/0198", "/payment/status?booking_id=0198"] {
        let response = site.get(path).send().await.expect("an answer");
        assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, "2"));
        let problem: Value = response.json().await.expect("is JSON");
        assert_eq!(problem["type"], "/problems/unavailable");
        assert!(!problem.to_string().contains("127.0.0.1"), "{problem}");
    }
}

#[tokio::test]
async fn a_client_that_goes_ends_its_stream_at_the_service() {
    let (push, pushed) = mpsc::channel::<Bytes>(1);
    let pushed = std::sync::Arc::new(std::sync::Mutex::new(Some(pushed)));
    let live = async move || {
        let pushed = pushed.lock().expect("whole").take().expect("is asked once");
        let parts = stream::unfold(pushed, async |mut pushed| {
            pushed.recv().await.map(|part| (Ok::<_, std::io::Error>(part), pushed))
        });
        ([("content-type", "text/event-stream")], Body::from_stream(parts.boxed()))
    };
    let site = TestSite::before(Router::new().route("/bookings/live", get(live))).await;
    push.send(": a\n\n".into()).await.expect("has room");
    let mut answered = site.get("/bookings/live").send().await.expect("an answer");
    answered.chunk().await.expect("goes on");
    drop(answered);
    timeout(SOON, push.closed()).await.expect("the service learns that nobody reads");
}
