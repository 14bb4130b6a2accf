//! How much memory hostile clients take: a binary of its own, as the whole process is measured.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, time::Duration};

use karcis_kernel::Role;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
    time::timeout,
};

use crate::{
    harness::{TestApp, token},
    hostile_bodies::bodies,
};

#[path = "../it/harness.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod harness;
#[path = "../it/hostile_bodies.rs"]
mod hostile_bodies;

/// Only one test at a time is measured.
static MEASURING: Mutex<()> = Mutex::const_new(());

/// A value of this process in `/proc/self/status`, in KiB.
fn status_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
}

/// Sets the peak back to what is resident now, which it returns.
fn reset_peak_kib() -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    status_kib("VmRSS")
}

#[tokio::test]
async fn no_body_costs_more_than_a_few_megabytes_to_refuse() {
    // The body itself, what the client keeps of it and of the answer, and what the allocator rounds up.
    const MAX_KIB: u64 = 4 * 1024;
    let _alone = MEASURING.lock().await;
    let app = TestApp::open().await;
    let token = token(Role::Organiser);
    let send = async |body: String| {
        let request = app.post("/things").bearer_auth(&token);
        let request = request.header("content-type", "application/json").body(body);
        drop(request.send().await.unwrap().bytes().await.unwrap());
    };
    // The first request of a process takes more than the others.
    send("x".repeat(60_000)).await;
    for (what, _, body) in bodies() {
        let before = reset_peak_kib();
        send(body).await;
        let cost = status_kib("VmHWM").saturating_sub(before);
        assert!(cost <= MAX_KIB, "{what}: {cost} KiB");
    }
}

#[tokio::test]
async fn a_thousand_heads_without_end_take_little_and_not_for_long() {
    const MAX_KIB: u64 = 48 * 1024;
    let _alone = MEASURING.lock().await;
    let app = TestApp::open().await;
    let head =
        |bytes: usize| format!("GET /public HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(bytes));
    // The first are more than is allowed, and are refused while they are written.
    for bytes in [390_000, 16_000] {
        let head = head(bytes);
        let before = reset_peak_kib();
        let mut sockets = Vec::new();
        for _ in 0..1_000 {
            let mut socket = TcpStream::connect(app.address).await.unwrap();
            drop(socket.write_all(head.as_bytes()).await);
            sockets.push(socket);
        }
        assert_eq!(app.get("/public").send().await.unwrap().status(), 200);
        let cost = status_kib("VmHWM").saturating_sub(before);
        assert!(cost <= MAX_KIB, "{bytes} bytes each: {cost} KiB");
        let closed = timeout(Duration::from_secs(50), async {
            for socket in &mut sockets {
                drop(socket.read_to_end(&mut Vec::new()).await);
            }
        });
        closed.await.expect("they are closed");
    }
}
