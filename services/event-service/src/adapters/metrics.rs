//! What an operator sees of the stock.

use metrics::{counter, describe_counter};

use crate::domain::{Answer, Rejection};

const HOLDS: &str = "karcis_holds_total";
const CONFLICTS: &str = "karcis_stock_conflicts_total";

/// Says what each is, and begins the counters at 0: what first appears at 1 has not risen.
pub fn describe() {
    describe_counter!(HOLDS, "What became of holds, once each: reserved, confirmed, sold_out, ...");
    describe_counter!(CONFLICTS, "Events decided on again, as somebody else changed them.");
    counter!(HOLDS, "outcome" => "reserved").increment(0);
    count_conflicts(0);
}

/// Counts what became of holds.
pub fn count_answers(answers: &[Answer]) {
    for answer in answers {
        let outcome = match answer {
            Answer::Reserved(_) => "reserved",
            Answer::Rejected(Rejection::EventNotFound) => "event_not_found",
            Answer::Rejected(Rejection::EventCancelled) => "event_cancelled",
            Answer::Rejected(Rejection::SalesClosed) => "sales_closed",
            Answer::Rejected(Rejection::OverLimit) => "over_limit",
            Answer::Rejected(Rejection::PriceChanged) => "price_changed",
            Answer::Rejected(Rejection::TooManyHolds) => "too_many_holds",
            Answer::Rejected(Rejection::SoldOut) => "sold_out",
            Answer::Confirmed(_) => "confirmed",
            Answer::ConfirmRefused => "confirm_refused",
            Answer::Released => "released",
        };
        counter!(HOLDS, "outcome" => outcome).increment(1);
    }
}

/// Counts events that have to be decided on again.
pub fn count_conflicts(count: usize) {
    counter!(CONFLICTS).increment(count as u64);
}
