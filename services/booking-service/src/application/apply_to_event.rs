//! An event is cancelled, or looks otherwise than before: its bookings take that in, some at a time.

use std::collections::BTreeSet;

use karcis_database::StoreError;
use karcis_kernel::{BookingId, EventId};

use super::{
    Bookings, OpenEvents,
    apply_inputs::{Rejected, apply_inputs},
};
use crate::domain::{DecisionContext, Input};

/// What is left out for a while.
pub struct Skipping<'a> {
    /// Bookings that the store rejected.
    pub rejected: &'a [BookingId],
    /// Bookings that others had locked.
    pub locked: &'a [BookingId],
    /// Events none of whose bookings could take the input.
    pub events: &'a [EventId],
}

/// What became of the bookings of an open event. What is named here is to be skipped for a while.
#[derive(Default)]
pub struct AppliedToEvent {
    pub rejected: Rejected,
    pub locked: BTreeSet<BookingId>,
    /// The event, if its remaining bookings take the input later.
    pub waiting: Option<EventId>,
}

/// Applies `input` to up to `limit` bookings of one open event, without those that are skipped; fewer if
/// they have more than `seats` tickets, which are all read. `None` if there are none: call it again until
/// then. No cursor is needed, since a booking that has taken the input is not found again. One that is
/// locked is found as soon as it is not skipped.
pub async fn apply_to_event(
    bookings: &dyn Bookings,
    events: &dyn OpenEvents,
    input: &Input,
    context: DecisionContext,
    skipping: Skipping<'_>,
    limit: u16,
    seats: usize,
) -> Result<Option<AppliedToEvent>, StoreError> {
    let Skipping { rejected, locked, events: skipped } = skipping;
    let Some(event) = events.next(skipped).await? else { return Ok(None) };
    let id = event.event_id;
    let ids = events.bookings_of(id, &[rejected, locked].concat(), limit, seats).await?;
    if !ids.is_empty() {
        let inputs: Vec<_> = ids.into_iter().map(|id| (id, input.clone())).collect();
        let applied = apply_inputs(bookings, context, &inputs).await?;
        let (rejected, locked) = (applied.rejected, applied.locked);
        return Ok(Some(AppliedToEvent { rejected, locked, waiting: None }));
    }
    let is_awaited = events.is_awaited(id, rejected).await?;
    if !is_awaited {
        events.done(event).await?;
    }
    Ok(Some(AppliedToEvent { waiting: is_awaited.then_some(id), ..AppliedToEvent::default() }))
}
