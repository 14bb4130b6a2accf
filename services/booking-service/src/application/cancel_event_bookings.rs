//! An event is cancelled: its bookings are cancelled too, some at a time.

use karcis_database::StoreError;
use karcis_kernel::BookingId;

use super::{
    Bookings, CancelledEvents, Tally,
    apply_inputs::{Rejected, apply_inputs},
};
use crate::domain::{DecisionContext, Input};

/// Cancels up to `limit` bookings of one cancelled event, without those in `skipped`; fewer if they have
/// more than `seats` tickets, which are all read. Returns whether
/// there may be more, and the bookings that the store rejected: call it again, with these skipped,
/// until there are none. No cursor is needed, since a booking that is being cancelled is not found
/// again. A skipped one is found when the event is announced again.
pub async fn cancel_event_bookings(
    bookings: &dyn Bookings,
    events: &dyn CancelledEvents,
    context: DecisionContext,
    skipped: &[BookingId],
    limit: u16,
    seats: usize,
) -> Result<(bool, Rejected), StoreError> {
    let Some(event) = events.next().await? else { return Ok((false, vec![])) };
    let ids = events.bookings_of(event.event_id, skipped, limit, seats).await?;
    if ids.is_empty() {
        events.done(event).await?;
        return Ok((true, vec![]));
    }
    let inputs: Vec<_> = ids.into_iter().map(|id| (id, Input::EventCancelled)).collect();
    let applied = apply_inputs(bookings, context, &inputs).await?;
    // Those that are locked are looked for again in a moment.
    let are_all_locked = !applied.locked.is_empty() && applied.tally == Tally::default();
    Ok((!are_all_locked, applied.rejected))
}
