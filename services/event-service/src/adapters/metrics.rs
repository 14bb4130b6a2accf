//! What an operator sees of the stock.

use metrics::{counter, describe_counter};

use crate::domain::Reply;

const HOLDS: &str = "karcis_holds_total";
const CONFLICTS: &str = "karcis_stock_conflicts_total";

/// Describes each metric, and starts the counters at 0: one that first appears at 1 has not risen.
pub(crate) fn describe() {
    describe_counter!(HOLDS, "Changes of holds by outcome: reserved, confirmed, sold_out, ...");
    describe_counter!(
        CONFLICTS,
        "Events decided on again because another instance or request had changed them."
    );
    counter!(HOLDS, "outcome" => "reserved").increment(0);
    count_conflicts(0);
}

/// Counts replies that changed a hold.
pub(crate) fn count_replies(replies: &[Reply]) {
    for reply in replies {
        let outcome = match reply {
            Reply::Reserved(_) => "reserved",
            Reply::Rejected(reason) => reason.as_str(),
            Reply::Confirmed(_) => "confirmed",
            Reply::ConfirmRefused => "confirm_refused",
            Reply::Released => "released",
        };
        counter!(HOLDS, "outcome" => outcome).increment(1);
    }
}

/// Counts events that have to be decided on again.
pub(crate) fn count_conflicts(count: usize) {
    counter!(CONFLICTS).increment(count as u64);
}
