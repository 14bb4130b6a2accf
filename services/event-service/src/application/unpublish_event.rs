//! An organiser takes an event back into a draft.

use karcis_kernel::{EventId, Timestamp};

use super::ports::{Events, News, StoreError};
use crate::domain::{Editor, Event, UnpublishRefused};

/// Why the event is still published.
#[derive(Debug, thiserror::Error)]
pub enum UnpublishEventError {
    /// There is none, or it is somebody else's.
    #[error("there is no such event")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Refused(#[from] UnpublishRefused),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The draft; repeatable. For the world the event is gone.
pub async fn unpublish_event(
    events: &dyn Events,
    by: Editor,
    id: EventId,
    at: Timestamp,
) -> Result<Event, UnpublishEventError> {
    let locked = events.lock(id).await?.ok_or(UnpublishEventError::NotFound)?;
    if !by.may_edit(locked.event()) {
        return Err(UnpublishEventError::NotFound);
    }
    let Some(draft) = locked.event().unpublish(at)? else {
        return Ok(locked.event().clone());
    };
    locked.save(&draft, Some(News::Gone)).await?;
    Ok(draft)
}
