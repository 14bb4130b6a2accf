//! A binary's process, which signals stop.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use karcis_process::Process;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Set in the process that is to be stopped.
const CHILD: &str = "KARCIS_TEST_CHILD";

#[test]
fn each_signal_stops_it_cleanly() {
    if env::var_os(CHILD).is_some() {
        return wait_to_be_stopped();
    }
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args(["signals::each_signal_stops_it_cleanly", "--exact", "--nocapture"])
            .env(CHILD, "1")
            .env("LOG_FORMAT", "json")
            .env_remove("RUST_LOG")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut line = String::new();
        while !line.contains("test-service waits") {
            line.clear();
            assert_ne!(log.read_line(&mut line).expect("a line"), 0, "it ended");
            assert!(line.starts_with('{') && line.contains(r#""timestamp":""#), "no JSON: {line}");
        }
        kill(Pid::from_raw(child.id().try_into().expect("a pid")), signal).expect("a signal");
        let mut rest = String::new();
        log.read_to_string(&mut rest).expect("the rest");
        let stops = |line: &str| {
            line.contains("the service stops") && line.contains(r#""service":"test-service""#)
        };
        assert!(rest.lines().any(stops), "{rest}");
        assert!(child.wait().expect("an end").success(), "{signal}");
    }
}

fn wait_to_be_stopped() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let process = Process::start("test-service");
        let stopping = process.stopping();
        let waits = async move {
            tracing::info!("test-service waits");
            stopping.cancelled().await;
            Ok::<_, String>(())
        };
        process.run("waits", waits).until_stopped().await.expect("a clean stop");
    });
}
