//! The turns bookings took, once they are stored: a count and a log line each.

use std::collections::HashMap;

use super::write::Prepared;
use crate::adapters::metrics;

/// Tells of all turns of these changes.
pub(super) fn tell<'a>(written: impl Iterator<Item = &'a Prepared>) {
    let mut turns: HashMap<metrics::Turn, u64> = HashMap::new();
    for Prepared { change, context, .. } in written {
        let reason = change.after.reason().unwrap_or("none");
        for entry in &change.log {
            let from = entry.from.unwrap_or("none");
            *turns.entry(metrics::Turn { from, to: entry.to, reason }).or_default() += 1;
            if tracing::enabled!(tracing::Level::DEBUG) {
                let _in_its_trace = context.clone().attach();
                let (booking_id, input) = (change.after.order.id, entry.input);
                tracing::debug!(%booking_id, input, from, to = entry.to, reason, "moved");
            }
        }
    }
    metrics::count_turns(turns);
}
