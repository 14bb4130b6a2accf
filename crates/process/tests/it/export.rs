//! A binary's spans, exported over OTLP: the last ones at its stop, within a time limit.

use std::{
    env,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use karcis_process::{CancellationToken, Process, trace};

/// Set in the process that exports.
const CHILD: &str = "KARCIS_TEST_EXPORTS";

#[test]
fn the_last_spans_are_sent_at_the_stop() {
    if env::var_os(CHILD).is_some() {
        return work_and_stop();
    }
    let collector = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = collector.local_addr().expect("its address");
    let endpoint = format!("http://{address}");
    let received = thread::spawn(move || {
        let (mut peer, _) = collector.accept().expect("an exporter comes");
        let request = request(&mut peer);
        peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("an answer is sent");
        request
    });
    // With this delay nothing is sent before the stop.
    let log = run(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=karcis"),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ]);
    // Ends the collector's wait if nothing came.
    drop(TcpStream::connect(address));
    let request = received.join().unwrap_or_else(|_| panic!("no spans came: {log}"));
    assert!(request.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{request}\n{log}");
    for word in ["x-tenant: karcis", "application/x-protobuf", "test-service", "a piece of work"] {
        assert!(request.contains(word), "{word} is not in {request}");
    }
}

#[test]
fn a_collector_that_does_not_answer_does_not_delay_the_stop() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("its address"));
    let began = Instant::now();
    // The exporter's own timeout is an hour.
    let log = run(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
    ]);
    assert!(log.contains("the last spans were not exported"), "{log}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn an_endpoint_that_cannot_be_used_is_named() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ] {
        let log = run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), (name, value)]);
        assert!(log.contains("no spans are exported"), "{log}");
        assert!(log.contains(&format!("{name} must be")), "{log}");
    }
}

/// Runs the child with this environment to its clean end; returns its log.
fn run(environment: &[(&str, &str)]) -> String {
    let child = Command::new(env::current_exe().expect("this test"))
        .args(["export::the_last_spans_are_sent_at_the_stop", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("a child");
    let log = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "{log}");
    log
}

fn work_and_stop() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let process = Process::start("test-service");
        let stopping: CancellationToken = process.stopping();
        let works = async move {
            trace::span("a piece of work", async {}).await;
            stopping.cancel();
            Ok::<_, String>(())
        };
        process.run("works", works).until_stopped().await.expect("a clean stop");
    });
}

/// A whole request with its body.
fn request(peer: &mut TcpStream) -> String {
    let (mut read, mut some) = (Vec::new(), [0; 4_096]);
    loop {
        let count = peer.read(&mut some).expect("it sends");
        read.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let length = text.to_lowercase();
        let length =
            length.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
        let length: Option<usize> = length.and_then(|length| length.parse().ok());
        let body = read.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        if let (Some(length), Some(body)) = (length, body)
            && read.len() >= body + 4 + length
        {
            return text;
        }
        assert_ne!(count, 0, "it ended early: {text}");
    }
}
