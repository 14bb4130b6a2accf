//! The metrics of payments.

use metrics::{
    Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tokio::time::Instant;

use super::postgres::StuckRefunds;

const ALERTS: &str = "karcis_payment_alerts_total";
const UNRESOLVED: &str = "karcis_payments_unresolved";
const REFUSED: &str = "karcis_refunds_refused_total";
const STUCK: &str = "karcis_refunds_stuck";
const WEBHOOKS: &str = "karcis_webhooks_total";
const CALLS: &str = "karcis_provider_call_duration_seconds";

/// Describes each metric, and starts the counters at 0: a counter that first appears at 1 has not
/// risen.
pub(crate) fn describe() {
    describe_counter!(ALERTS, "Refunds asked of payments that hold no money.");
    describe_gauge!(
        UNRESOLVED,
        "Attempts whose outcome the provider did not know when asked again."
    );
    describe_histogram!(CALLS, Unit::Seconds, "Time until the payment provider answered.");
    describe_counter!(REFUSED, "Refunds and reversals that the provider refuses.");
    describe_gauge!(STUCK, "Refunds and reversals that are refused and need an operator, by kind.");
    describe_counter!(WEBHOOKS, "Webhooks of the payment provider.");
    count_alerts(0);
    count_refused(0);
    for outcome in [Webhook::Accepted, Webhook::Unknown, Webhook::Refused] {
        webhooks(outcome).increment(0);
    }
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Webhook {
    /// The provider is asked.
    Accepted,
    /// It is about nothing that was ever charged here.
    Unknown,
    /// Its signature is wrong or too old.
    Refused,
}

/// Counts a webhook.
pub(crate) fn count_webhook(outcome: Webhook) {
    webhooks(outcome).increment(1);
}

fn webhooks(outcome: Webhook) -> Counter {
    let outcome = match outcome {
        Webhook::Accepted => "accepted",
        Webhook::Unknown => "unknown",
        Webhook::Refused => "refused",
    };
    counter!(WEBHOOKS, "outcome" => outcome)
}

/// Counts refunds of money that never came.
pub(crate) fn count_alerts(count: usize) {
    counter!(ALERTS).increment(count as u64);
}

/// Counts refunds and reversals that the provider has refused.
pub(crate) fn count_refused(count: usize) {
    counter!(REFUSED).increment(count as u64);
}

/// Shows how many refunds and reversals need an operator.
pub(crate) fn show_stuck(stuck: StuckRefunds) {
    gauge!(STUCK, "kind" => "refund").set(stuck.refunds as f64);
    gauge!(STUCK, "kind" => "reversal").set(stuck.reversals as f64);
}

/// Shows of how many attempts the provider does not know the outcome.
pub(crate) fn show_unresolved(count: i64) {
    gauge!(UNRESOLVED).set(count as f64);
}

/// Counts and times a call of the provider.
pub(crate) fn record_call(operation: &'static str, outcome: &'static str, began: Instant) {
    histogram!(CALLS, "operation" => operation, "outcome" => outcome).record(began.elapsed());
}
