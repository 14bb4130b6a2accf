//! An event does not take place: its bookings are undone, some at a time.

use karcis_kernel::Timestamp;

use super::{Bookings, CancelledEvents, StoreError, advance::advance};
use crate::domain::Input;

/// Undoes up to `limit` bookings of one cancelled event. Returns whether there may be more to do:
/// call it until there is not. No cursor is needed, as each booking it moves is on its way out.
pub async fn cancel_event_bookings(
    bookings: &dyn Bookings,
    events: &dyn CancelledEvents,
    at: Timestamp,
    limit: u16,
) -> Result<bool, StoreError> {
    let Some(event) = events.next().await? else { return Ok(false) };
    let ids = events.bookings_of(event.event_id, limit).await?;
    if ids.is_empty() {
        events.done(event).await?;
    } else {
        let inputs = ids.into_iter().map(|id| (id, Input::EventCancelled)).collect();
        advance(bookings, at, inputs).await?;
    }
    Ok(true)
}
