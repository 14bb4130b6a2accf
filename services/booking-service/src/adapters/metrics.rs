//! What an operator sees of the sagas.

use std::collections::HashMap;

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::domain::Stuck;

const TURNS: &str = "karcis_saga_transitions_total";
const INPUTS: &str = "karcis_saga_inputs_total";
const ALARMS: &str = "karcis_saga_alarms_total";
const UNDER_WAY: &str = "karcis_sagas_under_way";
const STUCK: &str = "karcis_sagas_stuck";

/// The stages in which a booking waits for somebody.
const STAGES: [&str; 6] =
    ["reserving", "awaiting", "cancelling", "confirming", "releasing", "refunding"];

/// A step from one stage to another.
#[derive(PartialEq, Eq, Hash)]
pub struct Turn {
    /// `none` for a new booking.
    pub from: &'static str,
    /// The stage after.
    pub to: &'static str,
    /// Why it is undone or rejected, else `none`.
    pub reason: &'static str,
}

/// Says what each is, and begins the counters at 0: what first appears at 1 has not risen.
pub fn describe() {
    describe_counter!(TURNS, "Steps of bookings from stage to stage, with why they are undone.");
    describe_counter!(INPUTS, "Messages to bookings: accepted, or stale and ignored.");
    describe_counter!(ALARMS, "Deadlines that struck and commands sent again.");
    describe_gauge!(UNDER_WAY, "Bookings that wait for somebody, by stage, up to 20,000 in all.");
    describe_gauge!(STUCK, "Bookings that need an operator, by why.");
    count_inputs(0, 0);
    count_alarms(0);
}

/// Counts steps.
pub fn count_turns(turns: HashMap<Turn, u64>) {
    for (Turn { from, to, reason }, count) in turns {
        counter!(TURNS, "from" => from, "to" => to, "reason" => reason).increment(count);
    }
}

/// Counts messages that moved a booking, and those that came too late to.
pub fn count_inputs(accepted: u64, stale: u64) {
    counter!(INPUTS, "outcome" => "accepted").increment(accepted);
    counter!(INPUTS, "outcome" => "stale").increment(stale);
}

/// Counts deadlines and resends.
pub fn count_alarms(count: usize) {
    counter!(ALARMS).increment(count as u64);
}

/// Shows how many bookings are under way, by stage, and stuck, by reason.
pub fn show(under_way: &HashMap<String, i64>, stuck: &HashMap<String, i64>) {
    let count = |counts: &HashMap<String, i64>, name| *counts.get(name).unwrap_or(&0) as f64;
    for stage in STAGES {
        gauge!(UNDER_WAY, "stage" => stage).set(count(under_way, stage));
    }
    for reason in Stuck::ALL.map(Stuck::as_str) {
        gauge!(STUCK, "reason" => reason).set(count(stuck, reason));
    }
}
