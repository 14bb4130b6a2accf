//! An event is cancelled: its bookings are cancelled too, some at a time.

use std::collections::BTreeSet;

use karcis_database::StoreError;
use karcis_kernel::{BookingId, EventId};

use super::{
    Bookings, CancelledEvents,
    apply_inputs::{Rejected, apply_inputs},
};
use crate::domain::{DecisionContext, Input};

/// What is left out for a while.
pub struct Skipping<'a> {
    /// Bookings that the store rejected.
    pub rejected: &'a [BookingId],
    /// Bookings that others had locked.
    pub locked: &'a [BookingId],
    /// Events that had locked bookings alone.
    pub events: &'a [EventId],
}

/// What became of the bookings of a cancelled event. What is named here is to be skipped for a while.
#[derive(Default)]
pub struct Cancelled {
    pub rejected: Rejected,
    pub locked: BTreeSet<BookingId>,
    /// The event, if it has locked bookings alone.
    pub waiting: Option<EventId>,
}

/// Cancels up to `limit` bookings of one cancelled event, without those that are skipped; fewer if they
/// have more than `seats` tickets, which are all read. `None` if there are none: call it again until
/// then. No cursor is needed, since a booking that is being cancelled is not found again. One that was
/// rejected is found when the event is announced again, one that is locked as soon as it is not skipped.
pub async fn cancel_event_bookings(
    bookings: &dyn Bookings,
    events: &dyn CancelledEvents,
    context: DecisionContext,
    skipping: Skipping<'_>,
    limit: u16,
    seats: usize,
) -> Result<Option<Cancelled>, StoreError> {
    let Skipping { rejected, locked, events: skipped } = skipping;
    let Some(event) = events.next(skipped).await? else { return Ok(None) };
    let id = event.event_id;
    let ids = events.bookings_of(id, &[rejected, locked].concat(), limit, seats).await?;
    if !ids.is_empty() {
        let inputs: Vec<_> = ids.into_iter().map(|id| (id, Input::EventCancelled)).collect();
        let applied = apply_inputs(bookings, context, &inputs).await?;
        let (rejected, locked) = (applied.rejected, applied.locked);
        return Ok(Some(Cancelled { rejected, locked, waiting: None }));
    }
    let has_locked =
        !locked.is_empty() && !events.bookings_of(id, rejected, 1, seats).await?.is_empty();
    if !has_locked {
        events.done(event).await?;
    }
    Ok(Some(Cancelled { waiting: has_locked.then_some(id), ..Cancelled::default() }))
}
