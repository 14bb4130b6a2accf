//! Brings inputs to their bookings, many at a time: load all, decide each, commit once.

use std::collections::BTreeMap;

use karcis_kernel::{BookingId, Timestamp};

use super::{Bookings, Change, StoreError};
use crate::domain::{Booking, Input, Verdict, decide};

/// What became of a batch of inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that moved their booking.
    pub moved: u64,
    /// Inputs that came late, again, or for no booking.
    pub stale: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.moved += other.moved;
        self.stale += other.stale;
    }
}

/// Decides the inputs, each booking's in their order, and saves what moved. Bookings that moved
/// meanwhile are decided again.
pub(super) async fn advance(
    bookings: &dyn Bookings,
    at: Timestamp,
    inputs: Vec<(BookingId, Input)>,
) -> Result<Tally, StoreError> {
    let mut waiting: BTreeMap<BookingId, Vec<Input>> = BTreeMap::new();
    for (id, input) in inputs {
        waiting.entry(id).or_default().push(input);
    }
    let mut tally = Tally::default();
    while !waiting.is_empty() {
        let ids: Vec<BookingId> = waiting.keys().copied().collect();
        let mut tallies: BTreeMap<BookingId, Tally> = waiting
            .iter()
            .map(|(id, inputs)| (*id, Tally { moved: 0, stale: inputs.len() as u64 }))
            .collect();
        let mut changes = Vec::with_capacity(ids.len());
        for booking in bookings.load(&ids).await? {
            let id = booking.order.id;
            let (change, tally) = fold(booking, at, waiting.get(&id).map_or(&[], Vec::as_slice));
            tallies.insert(id, tally);
            changes.extend(change);
        }
        let conflicts = if changes.is_empty() { vec![] } else { bookings.commit(changes).await? };
        waiting.retain(|id, _| conflicts.contains(id));
        for (_, done) in tallies.into_iter().filter(|(id, _)| !waiting.contains_key(id)) {
            tally += done;
        }
    }
    Ok(tally)
}

/// All inputs of one booking as one change, if any of them moved it.
fn fold(booking: Booking, at: Timestamp, inputs: &[Input]) -> (Option<Change>, Tally) {
    let mut change = Change::unchanged(booking);
    let mut tally = Tally::default();
    for input in inputs {
        match decide(&change.after, at, input) {
            Verdict::Moved(step) => {
                change = change.then(step);
                tally.moved += 1;
            }
            Verdict::Ignored | Verdict::Refused(_) => tally.stale += 1,
        }
    }
    ((tally.moved > 0).then_some(change), tally)
}
