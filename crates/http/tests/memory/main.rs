//! How much memory it takes to refuse a body: a binary of its own, as the whole process is measured.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use karcis_kernel::Role;

use crate::{
    harness::{TestApp, token},
    hostile_bodies::bodies,
};

#[path = "../it/harness.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod harness;
#[path = "../it/hostile_bodies.rs"]
mod hostile_bodies;

/// The body itself, what the client keeps of it and of the answer, and what the allocator rounds up.
const MAX_KIB: u64 = 4 * 1024;

/// A value of this process in `/proc/self/status`, in KiB.
fn status_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn no_body_costs_more_than_a_few_megabytes_to_refuse() {
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
        // 5 sets the peak back to what is resident now.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = status_kib("VmRSS");
        send(body).await;
        let cost = status_kib("VmHWM").saturating_sub(before);
        assert!(cost <= MAX_KIB, "{what}: {cost} KiB");
    }
}
