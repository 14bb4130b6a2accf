//! An organiser takes an event as the pattern of another.

use karcis_database::StoreError;
use karcis_kernel::{EventId, TicketTypeId, Timestamp};

use super::ports::Events;
use crate::domain::{Editor, Event, OutOfCalendar};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum DuplicateEventError {
    #[error("there is no such event, or it is another organiser's")]
    NotFound,
    #[error(transparent)]
    OutOfCalendar(#[from] OutOfCalendar),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores a draft like the event `id` that starts at `starts_at`, and returns it. It is the organiser's of that
/// event. `draw_id` draws the ids of its ticket types.
pub async fn duplicate_event(
    events: &dyn Events,
    editor: Editor,
    id: EventId,
    (copy_id, starts_at): (EventId, Timestamp),
    draw_id: &(dyn Fn() -> TicketTypeId + Sync),
) -> Result<Event, DuplicateEventError> {
    let mut locked = events.lock_for(editor, id).await?.ok_or(DuplicateEventError::NotFound)?;
    let copy = locked.event().duplicate(copy_id, starts_at, draw_id)?;
    locked.record_of(editor, "duplicate_event", None).await?;
    locked.add_copy(&copy).await?;
    Ok(copy)
}
