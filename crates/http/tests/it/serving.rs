//! Connections, and a stop that nobody can hold.

use std::time::Duration;

use axum::{Router, routing::get};
use karcis_http::TokenKeys;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use crate::house::{AT_ONCE, House, Signer, app};

/// When a process gives up tasks that do not end.
const PROCESS_LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_handler_knows_its_peer() {
    let house = House::open().await;
    let mut socket = TcpStream::connect(house.address).await.unwrap();
    socket.write_all(b"GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(&socket.local_addr().unwrap().to_string()), "{answer}");
}

#[tokio::test]
async fn a_stop_waits_for_the_request_under_way() {
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
    let house = House::of(app(routes, TokenKeys::fixed(&Signer::new("k1", 1).keys()))).await;
    let request = tokio::spawn(house.get("/slow").send());
    arrivals.recv().await.unwrap();
    house.stopping.cancel();
    while TcpStream::connect(house.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!request.is_finished());
    go_on.send(true).unwrap();
    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.text().await.unwrap(), "done");
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_hold_the_stop() {
    let house = House::open().await;
    let silent = TcpStream::connect(house.address).await.unwrap();
    let mut idle = TcpStream::connect(house.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 4096];
    let read = idle.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 200"));

    house.stops_within(AT_ONCE).await;
    drop((silent, idle));
}

#[tokio::test]
async fn a_client_that_never_ends_its_request_is_cut_before_the_process_gives_up() {
    let house = House::open().await;
    let mut slow = TcpStream::connect(house.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nho").await.unwrap();
    // An answer on another connection shows that the house has taken the first.
    house.get("/healthz").send().await.unwrap();
    house.stops_within(PROCESS_LIMIT).await;
}
