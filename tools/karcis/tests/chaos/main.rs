//! `karcis chaos` with real processes: with a bug in them it names the rule that is broken. Apart from the other
//! tests, whose servers would get no processor beside a cluster.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use karcis_testkit::processes::{are_gone, descendants};
use serde_json::Value;
use tokio::runtime::Runtime;

/// Ten processes each.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How it ends, and its report.
fn chaos(arguments: &[&str], bug: Option<&str>) -> (Option<i32>, Value) {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
    command.args(["chaos", "--json"]).args(arguments);
    if let Some(bug) = bug {
        command.env("KARCIS_PLANTED_BUG", bug);
    }
    let output = command.output().expect("it runs");
    let report = serde_json::from_slice(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), report.unwrap_or_else(|error| panic!("{error}: {said}")))
}

#[test]
fn the_books_add_up_after_a_service_was_killed() {
    let (code, report) = chaos(&["--minutes", "0.3", "--only", "booking-service"], None);
    assert_eq!((code, &report["broken"]), (Some(0), &Value::Null), "{report:#}");
    let kills = report["faults"]["Kill booking-service"].as_u64();
    assert!(kills.is_some_and(|kills| kills > 0), "{report:#}");
    let bookings = report["bookings"].as_object().expect("it counts bookings");
    assert!(bookings.contains_key("confirmed"), "{report:#}");
}

#[test]
fn the_books_add_up_after_another_has_taken_the_primarys_place() {
    let arguments = ["--cluster", "--minutes", "0.3", "--only", "postgres/primary"];
    // The first fault of this seed.
    let (code, report) = chaos(&[&arguments[..], &["--seed", "10"]].concat(), None);
    assert_eq!((code, &report["broken"]), (Some(0), &Value::Null), "{report:#}");
    let kills = report["faults"]["KillForGood postgres/primary"].as_u64();
    assert!(kills.is_some_and(|kills| kills > 0), "{report:#}");
    let bookings = report["bookings"].as_object().expect("it counts bookings");
    assert!(bookings.contains_key("confirmed"), "{report:#}");
}

#[test]
fn a_rule_that_is_broken_is_named() {
    let arguments = ["--minutes", "0.5", "--only", "booking-service"];
    let (code, report) = chaos(&arguments, Some("StockForgotten"));
    assert_eq!((code, report["broken"]["rule"].as_u64()), (Some(1), Some(1)), "{report:#}");
}

#[test]
fn nothing_runs_on_once_it_is_killed() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
    let mut chaos = command.arg("chaos").stderr(Stdio::piped()).spawn().expect("it runs");
    let said = BufReader::new(chaos.stderr.take().expect("it is piped"));
    let begins = said.lines().find(|line| line.as_ref().is_ok_and(|it| it.contains("people come")));
    begins.expect("it says so").expect("it is text");
    let started = descendants(chaos.id());
    assert!(started.len() > 10, "{started:?}");
    chaos.kill().expect("it runs");
    chaos.wait().expect("it is our child");
    Runtime::new().expect("a runtime starts").block_on(are_gone(&started));
}
