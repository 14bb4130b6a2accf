//! What an operator sees of the stock.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::domain::Reply;

const HOLDS: &str = "karcis_holds_total";
const CONFLICTS: &str = "karcis_stock_conflicts_total";
const CATALOGUE_READS: &str = "karcis_catalogue_reads_total";
const CATALOGUE_LOADS: &str = "karcis_catalogue_loads_total";
const CATALOGUE_BYTES: &str = "karcis_catalogue_cache_bytes";

/// Describes each metric, and starts the counters at 0: one that first appears at 1 has not risen.
pub(crate) fn describe() {
    describe_counter!(HOLDS, "Changes of holds by outcome: reserved, confirmed, sold_out, ...");
    describe_counter!(
        CONFLICTS,
        "Events decided on again because another instance or request had changed them."
    );
    describe_counter!(CATALOGUE_READS, "Events and lists of events that were asked for.");
    describe_counter!(CATALOGUE_LOADS, "Those of them that were not in the cache.");
    describe_gauge!(CATALOGUE_BYTES, Unit::Bytes, "What the cache of events and lists keeps.");
    counter!(HOLDS, "outcome" => "reserved").increment(0);
    count_conflicts(0);
    for of in ["event", "list"] {
        counter!(CATALOGUE_READS, "of" => of).increment(0);
        counter!(CATALOGUE_LOADS, "of" => of).increment(0);
    }
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

/// Counts an `event` or `list` that somebody asks for.
pub(crate) fn count_catalogue_read(of: &'static str) {
    counter!(CATALOGUE_READS, "of" => of).increment(1);
}

/// Counts an `event` or `list` that is read from the database.
pub(crate) fn count_catalogue_load(of: &'static str) {
    counter!(CATALOGUE_LOADS, "of" => of).increment(1);
}

/// What the cache keeps now.
pub(crate) fn set_catalogue_bytes(bytes: usize) {
    gauge!(CATALOGUE_BYTES).set(bytes as f64);
}
