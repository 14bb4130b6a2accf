//! How many log-ins and new accounts one address gets.

use karcis_testkit::TestEnvironment;
use serde_json::json;

use crate::harness::{PASSWORD, TestApp, email};

#[tokio::test]
async fn a_client_may_try_so_many_log_ins_and_open_so_many_accounts() {
    let environment = TestEnvironment::start().await;
    let flags = ["--rate-limits", "on", "--rate-limit-logins", "3/24h"];
    let few = ["--rate-limit-registrations", "2/24h", "--trusted-proxies", "127.0.0.0/8"];
    let users = TestApp::start(&environment, &[&flags[..], &few].concat()).await;
    users.registers("Sari").await;
    users.registers("Budi").await;
    let dewi = json!({"email": email("Dewi"), "password": PASSWORD, "name": "Dewi"});
    let refused = users.post("/register", &dewi).await.is_problem(429, "too-many-requests");
    assert!(refused.headers.contains_key("retry-after"));
    for _ in 0..3 {
        users.logs_in("Sari", PASSWORD).await.is(200);
    }
    for name in ["Sari", "Budi", "Nobody"] {
        users.logs_in(name, PASSWORD).await.is_problem(429, "too-many-requests");
    }
    // Behind the gateway another client has a count of its own.
    users.post_for("203.0.113.7", "/register", &dewi).await.is(201);
    let login = json!({"email": email("Dewi"), "password": PASSWORD});
    users.post_for("203.0.113.7", "/login", &login).await.is(200);
    users.stop().await;
}
