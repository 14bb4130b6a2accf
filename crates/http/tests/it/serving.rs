//! Connections, and a stop that no client can delay.

use std::time::Duration;

use axum::{Router, routing::get};
use karcis_http::TokenKeys;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use crate::harness::{AT_ONCE, Signer, TestApp, thing_service};

/// How long a stopping process waits for its tasks.
const PROCESS_LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_handler_knows_its_clients_address() {
    let app = TestApp::open().await;
    let mut socket = TcpStream::connect(app.address).await.unwrap();
    socket.write_all(b"GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    assert!(response.ends_with(&socket.local_addr().unwrap().to_string()), "{response}");
}

#[tokio::test]
async fn a_stop_waits_for_the_running_request() {
    let (arrived, mut arrivals) = mpsc::channel(1);
    let (go_on, gate) = tokio::sync::watch::channel(false);
    let routes = Router::new().route(
        "/slow",
        get(async move || {
            arrived.send(()).await.unwrap();
            gate.clone().wait_for(|open| *open).await.unwrap();
            "done"
        }),
    );
    let app =
        TestApp::of(thing_service(routes, TokenKeys::own(&Signer::new("k1", 1).keys()))).await;
    let request = tokio::spawn(app.get("/slow").send());
    arrivals.recv().await.unwrap();
    app.stopping.cancel();
    while TcpStream::connect(app.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!request.is_finished());
    go_on.send(true).unwrap();
    let response = request.await.unwrap().unwrap();
    assert_eq!(response.text().await.unwrap(), "done");
}

#[tokio::test]
async fn silent_clients_do_not_delay_the_stop() {
    let app = TestApp::open().await;
    let silent = TcpStream::connect(app.address).await.unwrap();
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut response = vec![0; 4096];
    let read = idle.read(&mut response).await.unwrap();
    assert!(response[..read].starts_with(b"HTTP/1.1 200"));

    app.stops_within(AT_ONCE).await;
    drop((silent, idle));
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_before_the_process_times_out() {
    let app = TestApp::open().await;
    let mut slow = TcpStream::connect(app.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nho").await.unwrap();
    // A response on another connection shows that the first was accepted.
    app.get("/healthz").send().await.unwrap();
    app.stops_within(PROCESS_LIMIT).await;
}
