//! An event is cancelled: its bookings are cancelled too, some at a time.

use karcis_database::StoreError;

use super::{Bookings, CancelledEvents, apply_inputs::apply_inputs};
use crate::domain::{DecisionContext, Input};

/// Cancels up to `limit` bookings of one cancelled event. Returns whether there may be more: call
/// it again until there are none. No cursor is needed, since a booking that is being cancelled is
/// not found again.
pub async fn cancel_event_bookings(
    bookings: &dyn Bookings,
    events: &dyn CancelledEvents,
    context: DecisionContext,
    limit: u16,
) -> Result<bool, StoreError> {
    let Some(event) = events.next().await? else { return Ok(false) };
    let ids = events.bookings_of(event.event_id, limit).await?;
    if ids.is_empty() {
        events.done(event).await?;
    } else {
        let inputs: Vec<_> = ids.into_iter().map(|id| (id, Input::EventCancelled)).collect();
        apply_inputs(bookings, context, &inputs).await?;
    }
    Ok(true)
}
