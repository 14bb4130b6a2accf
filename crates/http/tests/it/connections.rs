//! Connections that cost more than they should: too many, too slow, or with endless headers.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use futures_util::stream;
use karcis_http::TokenKeys;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{interval, timeout},
};

use crate::harness::{Signer, TestApp, routes, thing_service};

const REQUEST: &[u8] = b"GET /public HTTP/1.1\r\nhost: a\r\n\r\n";

async fn app(flags: &[&str]) -> TestApp {
    let app = thing_service(routes(), TokenKeys::own(&Signer::new("k1", 1).keys()));
    TestApp::with_flags(app, flags).await
}

/// Whether a request on this connection is answered; it stays open.
async fn answers(socket: &mut TcpStream) -> bool {
    let mut some = [0; 4096];
    match socket.write_all(REQUEST).await {
        Ok(()) => socket.read(&mut some).await.is_ok_and(|read| some[..read].starts_with(b"HTTP")),
        Err(_) => false,
    }
}

/// Everything that comes until the connection is closed.
async fn rest(socket: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // The end is the same whether it is orderly or a reset.
    drop(socket.read_to_end(&mut rest).await);
    rest
}

/// Connects again until a request is answered.
async fn connected(app: &TestApp) -> TcpStream {
    loop {
        let mut socket = TcpStream::connect(app.address).await.unwrap();
        if answers(&mut socket).await {
            return socket;
        }
    }
}

#[tokio::test]
async fn headers_without_end_are_refused_before_they_fill_the_memory() {
    let app = app(&[]).await;
    let mut socket = TcpStream::connect(app.address).await.unwrap();
    let (mut reading, mut writing) = socket.split();
    let endless = async {
        writing.write_all(b"GET /public HTTP/1.1\r\nhost: a\r\n").await?;
        for _ in 0..10 {
            writing.write_all(format!("x: {}\r\n", "x".repeat(39_000)).as_bytes()).await?;
        }
        std::io::Result::Ok(())
    };
    let mut answer = vec![0; 64];
    let (_, read) = tokio::join!(endless, reading.read(&mut answer));
    let answer = String::from_utf8_lossy(&answer[..read.unwrap_or_default()]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer:?}");

    let mut allowed = TcpStream::connect(app.address).await.unwrap();
    let large = format!(
        "GET /public HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {}\r\n\r\n",
        "x".repeat(15_000)
    );
    allowed.write_all(large.as_bytes()).await.unwrap();
    assert!(rest(&mut allowed).await.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn headers_must_come_within_ten_seconds_and_idle_connections_stay() {
    let app = app(&[]).await;
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    assert!(answers(&mut idle).await);
    let began = Instant::now();
    let mut silent = TcpStream::connect(app.address).await.unwrap();
    let mut halting = TcpStream::connect(app.address).await.unwrap();
    halting.write_all(b"GET /public HTTP/1.1\r\nho").await.unwrap();
    let mut second = TcpStream::connect(app.address).await.unwrap();
    assert!(answers(&mut second).await);
    second.write_all(b"GET /public HTTP/1.1\r\nho").await.unwrap();
    let mut dripping = TcpStream::connect(app.address).await.unwrap();
    let drips = async {
        let (mut reading, mut writing) = dripping.split();
        let drop_by_drop = async {
            writing.write_all(b"GET /public HTTP/1.1\r\nx: ").await?;
            let mut pause = interval(Duration::from_millis(500));
            loop {
                pause.tick().await;
                writing.write_all(b"x").await?;
            }
        };
        let mut answer = Vec::new();
        tokio::select! {
            end = drop_by_drop => drop::<std::io::Result<()>>(end),
            _ = reading.read_to_end(&mut answer) => {}
        }
    };
    // Half of the time for which an idle connection lives.
    let closed = timeout(Duration::from_secs(50), async {
        tokio::join!(rest(&mut silent), rest(&mut halting), rest(&mut second), drips)
    });
    closed.await.expect("they are closed");
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(answers(&mut idle).await, "it was idle for {:?}", began.elapsed());
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_cut() {
    let dropped = Arc::new(AtomicBool::new(false));
    let noticed = dropped.clone();
    let routes = Router::new().route(
        "/endless",
        get(async move || {
            let dropped = SetAtDrop(noticed.clone());
            Body::from_stream(stream::repeat_with(move || {
                let _ = &dropped;
                Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 65_536]))
            }))
        }),
    );
    let app = thing_service(routes, TokenKeys::own(&Signer::new("k1", 1).keys()));
    let app = TestApp::of(app).await;
    let began = Instant::now();
    let mut reader = TcpStream::connect(app.address).await.unwrap();
    reader.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut pause = interval(Duration::from_millis(250));
    while !dropped.load(SeqCst) {
        assert!(began.elapsed() < Duration::from_secs(90), "it is still written");
        pause.tick().await;
    }
    assert!(began.elapsed() >= Duration::from_secs(30), "{:?}", began.elapsed());
}

struct SetAtDrop(Arc<AtomicBool>);

impl Drop for SetAtDrop {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[tokio::test]
async fn connections_above_the_limits_are_closed_at_once_and_counted() {
    for (limit, flags) in [
        ("process", ["--max-connections=3", "--max-connections-per-peer=10"]),
        ("peer", ["--max-connections=10", "--max-connections-per-peer=3"]),
    ] {
        let admin = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let app = app(&[&flags[..], &["--admin-listen", &admin]].concat()).await;
        let mut open = [connected(&app).await, connected(&app).await, connected(&app).await];
        let mut refused = TcpStream::connect(app.address).await.unwrap();
        assert!(!answers(&mut refused).await, "{limit}");
        for socket in &mut open {
            assert!(answers(socket).await, "{limit}: those who were there stay");
        }
        let of_admin = async |path: &str| {
            app.client.get(format!("http://{admin}{path}")).send().await.unwrap()
        };
        assert_eq!(of_admin("/healthz").await.status(), 200, "{limit}: probes get through");
        let metrics = of_admin("/metrics").await.text().await.unwrap();
        let line = format!(r#"karcis_http_connections_refused_total{{limit="{limit}"}} "#);
        let count = metrics.lines().find_map(|at| at.strip_prefix(&line)).expect("it is counted");
        assert!(count.parse::<u64>().unwrap() > 0, "{count}");

        drop(open);
        connected(&app).await;
    }
}

#[tokio::test]
async fn an_office_behind_one_address_has_512_connections_and_leaves_the_rest_to_others() {
    let app = app(&[]).await;
    let mut open = Vec::new();
    for _ in 0..512 {
        open.push(connected(&app).await);
    }
    let mut refused = TcpStream::connect(app.address).await.unwrap();
    assert!(!answers(&mut refused).await);
}

#[tokio::test]
async fn a_trusted_proxy_may_have_all_connections() {
    let app = app(&["--max-connections-per-peer=1", "--trusted-proxies=127.0.0.1"]).await;
    let mut open = [connected(&app).await, connected(&app).await];
    for socket in &mut open {
        assert!(answers(socket).await);
    }
}

#[tokio::test]
async fn as_many_files_may_be_open_as_the_machine_allows() {
    let (_, hard) = rlimit::Resource::NOFILE.get().unwrap();
    rlimit::Resource::NOFILE.set(hard.min(1024), hard).unwrap();
    let app = app(&[]).await;
    assert_eq!(app.get("/public").send().await.unwrap().status(), 200);
    assert_eq!(rlimit::Resource::NOFILE.get().unwrap(), (hard, hard));
}
