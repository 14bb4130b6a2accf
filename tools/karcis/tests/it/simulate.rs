//! `karcis simulate`, which needs no server and no setting.

use std::process::Command;

/// What it prints, without what depends on the machine.
fn simulate(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_karcis"));
    command.arg("simulate").args(arguments).env_clear();
    let output = command.output().expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("it says text");
    // The first line says how long it took.
    let (_, rest) = printed.split_once('\n').expect("it prints lines");
    (output.status.code(), rest.to_owned())
}

#[test]
fn a_seed_is_the_same_each_time_and_what_it_saw_is_printed() {
    let (code, printed) = simulate(&["--seeds", "2", "--seed", "7"]);
    assert_eq!(code, Some(0), "{printed}");
    for said in ["how the bookings ended:", "confirmed", "faults:"] {
        assert!(printed.contains(said), "{printed}");
    }
    assert_eq!(simulate(&["--seeds", "2", "--seed", "7"]), (code, printed.clone()));
    assert_ne!(simulate(&["--seeds", "2", "--seed", "9"]).1, printed);
}

#[test]
fn it_ends_after_the_time_it_is_given() {
    let (code, _) = simulate(&["--minutes", "0"]);
    assert_eq!(code, Some(0));
}
