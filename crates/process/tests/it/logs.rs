//! A binary's log lines: one JSON object each, whatever happens.

use std::{
    env,
    process::{Command, Stdio},
};

use karcis_process::{Process, trace};
use serde_json::Value;

/// Set in the process that logs.
const CHILD: &str = "KARCIS_TEST_LOGS";

#[test]
fn each_line_is_a_flat_object_also_of_a_panic() {
    if env::var_os(CHILD).is_some() {
        return log_and_panic();
    }
    let child = Command::new(env::current_exe().expect("this test"))
        .args(["logs::each_line_is_a_flat_object_also_of_a_panic", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env("LOG_FORMAT", "json")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .expect("a child");
    let log = String::from_utf8_lossy(&child.stderr);
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let find = |message: &str| {
        let matches =
            |line: &&Value| line["message"].as_str().is_some_and(|it| it.contains(message));
        lines.iter().find(matches).unwrap_or_else(|| panic!("{message} is not in {log}"))
    };
    let panicked = find("a task panicked");
    assert_eq!(panicked["level"], "ERROR");
    assert!(panicked["panic"].to_string().contains("out of luck"), "{panicked}");
    let of_a_request = find("a \"quoted\" word");
    assert_eq!(of_a_request["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(of_a_request["count"], 3);
    assert_eq!(of_a_request["booking_id"], "01890a5d-ac96-774b-bcce-b302099a8057");
}

fn log_and_panic() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let process = Process::start("test-service");
        let caller = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let request = trace::of_request(caller, true, || unreachable!("nothing is exported"));
        trace::scope(request, async {
            trace::about("01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("a UUID"));
            tracing::warn!(count = 3, "a \"quoted\" word");
        })
        .await;
        let unlucky = async { if true { panic!("out of luck") } else { Ok::<_, String>(()) } };
        process.run("unlucky", unlucky).until_stopped().await.expect_err("it panicked");
    });
}
