//! No server outlives the test process that started it, be it a panic or a kill -9 that ends it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use karcis_testkit::{TestEnvironment, eventually};

/// Run by the tests below in a process of its own.
#[tokio::test]
#[ignore = "started by the other tests of this module"]
async fn start_servers_and_panic() {
    let environment = TestEnvironment::start().await;
    println!("servers: {}", environment.database_url());
    if std::env::var("KARCIS_TEST_THEN").as_deref() == Ok("wait") {
        std::future::pending::<()>().await;
    }
    panic!("on purpose");
}

#[tokio::test]
async fn a_panic_leaves_nothing_running() {
    let (mut tests, port) = start_tests("panic");
    tests.wait().unwrap();
    assert!(!listens(port), "Postgres outlived its tests");
}

#[tokio::test]
async fn a_kill_leaves_nothing_running() {
    let (mut tests, port) = start_tests("wait");
    assert!(listens(port));
    tests.kill().unwrap();
    tests.wait().unwrap();
    eventually(async || listens(port)).within(Duration::from_secs(150)).is(false).await;
}

/// A process that starts servers, and its Postgres's port.
fn start_tests(then: &str) -> (Child, u16) {
    let mut tests = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leftovers::start_servers_and_panic", "--ignored", "--nocapture"])
        .env("KARCIS_TEST_THEN", then)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tests.stdout.take().unwrap()).lines();
    let url =
        lines.find_map(|line| line.unwrap().split_once("servers: ").map(|(_, url)| url.to_owned()));
    let url = url.expect("the servers start");
    let address = url.rsplit('@').next().unwrap().split('/').next().unwrap();
    (tests, address.rsplit(':').next().unwrap().parse().unwrap())
}

fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}
