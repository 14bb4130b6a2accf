//! An organiser deletes an event that never had a booking.

use karcis_database::StoreError;
use karcis_kernel::EventId;

use super::ports::Events;
use crate::domain::{Editor, EventHasBookings};

/// Why the event is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteEventError {
    #[error("there is no such event, or it is another organiser's")]
    NotFound,
    #[error(transparent)]
    HasBookings(#[from] EventHasBookings),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes the event and publishes that.
pub async fn delete_event(
    events: &dyn Events,
    editor: Editor,
    id: EventId,
) -> Result<(), DeleteEventError> {
    let mut locked = events.lock_for(editor, id).await?.ok_or(DeleteEventError::NotFound)?;
    locked.event().check_delete()?;
    locked.record_of(editor, "delete_event", None).await?;
    Ok(locked.delete().await?)
}
