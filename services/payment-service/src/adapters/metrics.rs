//! What an operator sees of the payments.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tokio::time::Instant;

const ALERTS: &str = "karcis_payment_alerts_total";
const UNRESOLVED: &str = "karcis_payments_unresolved";
const CALLS: &str = "karcis_provider_call_duration_seconds";

/// Says what each is, and begins the counter at 0: what first appears at 1 has not risen.
pub fn describe() {
    describe_counter!(ALERTS, "Refunds asked of payments that hold no money.");
    describe_gauge!(UNRESOLVED, "Attempts the provider was asked of again and did not know.");
    describe_histogram!(CALLS, Unit::Seconds, "Time until the payment provider answered.");
    count_alerts(0);
}

/// Counts refunds of money that never came.
pub fn count_alerts(count: usize) {
    counter!(ALERTS).increment(count as u64);
}

/// Shows how many attempts are still unknown.
pub fn show_unresolved(unknown: usize) {
    gauge!(UNRESOLVED).set(unknown as f64);
}

/// Counts and times a call of the provider.
pub fn call(operation: &'static str, outcome: &'static str, began: Instant) {
    histogram!(CALLS, "operation" => operation, "outcome" => outcome).record(began.elapsed());
}
