//! Servers whose parent is killed.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use karcis_dev_servers::{
    TempDir,
    kafka::{Kafka, KafkaOptions},
    postgres::{Postgres, PostgresOptions},
};

use karcis_testkit::processes;

const HOLDS: &str = "KARCIS_TEST_HOLDS_SERVERS_IN";

#[tokio::test]
async fn a_killed_parent_leaves_nothing_behind() {
    let data = TempDir::new().expect("a folder");
    let mut parent = Command::new(std::env::current_exe().expect("a test has a path"))
        .args(["--exact", "orphans::holds_servers", "--nocapture"])
        .env(HOLDS, data.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let output = BufReader::new(parent.stdout.take().expect("is piped"));
    let ready = output.lines().map_while(Result::ok).any(|line| line.ends_with("both run"));
    assert!(ready, "both servers started");
    let children = processes::descendants(parent.id());
    assert!(children.len() > 2, "Kafka, Postgres and its workers: {children:?}");

    parent.kill().expect("is there to be killed");
    parent.wait().expect("ends");
    processes::are_gone(&children).await;
    // Neither left anything in the way of the next.
    start_both(data.path()).await;
}

/// Not a test of its own, but the parent of the one above.
#[tokio::test]
async fn holds_servers() {
    let Some(data) = std::env::var_os(HOLDS) else { return };
    let _servers = start_both(data.as_ref()).await;
    println!("both run");
    std::future::pending::<()>().await;
}

async fn start_both(data: &std::path::Path) -> (Kafka, Postgres) {
    let kafka =
        Kafka::start(KafkaOptions { data: data.join("kafka"), port: 0, outlives_parent: false });
    let options = PostgresOptions {
        data: data.join("postgres"),
        port: 0,
        durable: true,
        outlives_parent: false,
    };
    let (kafka, postgres) = tokio::join!(kafka, Postgres::start(options));
    (kafka.expect("Kafka starts"), postgres.expect("PostgreSQL starts"))
}
