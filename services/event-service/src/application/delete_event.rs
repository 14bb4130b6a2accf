//! An organiser deletes an event that never had a booking.

use karcis_kernel::EventId;

use super::ports::{Events, News, StoreError};
use crate::domain::{Editor, EventHasBookings};

/// Why the event is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeleteEventError {
    /// There is none, or it is somebody else's.
    #[error("there is no such event")]
    NotFound,
    /// See there.
    #[error(transparent)]
    HasBookings(#[from] EventHasBookings),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes the event and says so.
pub async fn delete_event(
    events: &dyn Events,
    by: Editor,
    id: EventId,
) -> Result<(), DeleteEventError> {
    let locked = events.lock(id).await?.ok_or(DeleteEventError::NotFound)?;
    if !by.may_edit(locked.event()) {
        return Err(DeleteEventError::NotFound);
    }
    locked.event().check_delete()?;
    Ok(locked.delete(News::Gone).await?)
}
