//! What an operator sees of the sagas.

use std::collections::HashMap;

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::{application::Tally, domain::Stuck};

const TRANSITIONS: &str = "karcis_saga_transitions_total";
const INPUTS: &str = "karcis_saga_inputs_total";
const TIMERS: &str = "karcis_saga_timers_total";
const UNDER_WAY: &str = "karcis_sagas_under_way";
const STUCK: &str = "karcis_sagas_stuck";
const MOVED_EVENTS: &str = "karcis_moved_events";

/// The stages in which a booking waits for an answer.
const STAGES: [&str; 6] =
    ["reserving", "awaiting", "cancelling", "confirming", "releasing", "refunding"];

/// The labels of a transition.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct TransitionLabels {
    /// `none` for a new booking.
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    /// Why it is undone or rejected, else `none`.
    pub(super) reason: &'static str,
}

/// Describes the metrics, and begins the counters at 0: Prometheus sees no rise in a counter that
/// first appears at 1.
pub(crate) fn describe() {
    describe_counter!(
        TRANSITIONS,
        "Transitions of bookings from stage to stage, with why they are undone."
    );
    describe_counter!(
        INPUTS,
        "Inputs of bookings: accepted, stale and ignored, or rejected by the store."
    );
    describe_counter!(TIMERS, "Deadlines that passed and commands that were sent again.");
    describe_gauge!(UNDER_WAY, "Bookings that wait for an answer, by stage, up to 20,000 in all.");
    describe_gauge!(STUCK, "Bookings that need an operator, by why.");
    describe_gauge!(MOVED_EVENTS, "Changed events whose holders are still to be told.");
    count_inputs(Tally::default());
    count_rejected(0);
    count_timers(0);
}

pub(super) fn count_transitions(transitions: HashMap<TransitionLabels, u64>) {
    for (TransitionLabels { from, to, reason }, count) in transitions {
        counter!(TRANSITIONS, "from" => from, "to" => to, "reason" => reason).increment(count);
    }
}

/// Counts the inputs that other services' messages brought.
pub(super) fn count_inputs(tally: Tally) {
    counter!(INPUTS, "outcome" => "accepted").increment(tally.accepted);
    counter!(INPUTS, "outcome" => "stale").increment(tally.stale);
}

/// Counts the inputs of workers that the store rejected.
pub(super) fn count_rejected(count: usize) {
    counter!(INPUTS, "outcome" => "rejected").increment(count as u64);
}

/// Counts deadlines and resends.
pub(super) fn count_timers(count: usize) {
    counter!(TIMERS).increment(count as u64);
}

/// Shows how many bookings are under way, by stage, and stuck, by reason, and how many events have holders who
/// are still to be told.
pub(super) fn show(
    under_way: &HashMap<String, i64>,
    stuck: &HashMap<String, i64>,
    moved_events: i64,
) {
    let count = |counts: &HashMap<String, i64>, name| *counts.get(name).unwrap_or(&0) as f64;
    for stage in STAGES {
        gauge!(UNDER_WAY, "stage" => stage).set(count(under_way, stage));
    }
    for reason in Stuck::ALL.map(Stuck::as_str) {
        gauge!(STUCK, "reason" => reason).set(count(stuck, reason));
    }
    gauge!(MOVED_EVENTS).set(moved_events as f64);
}
