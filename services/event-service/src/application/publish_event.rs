//! An organiser makes an event bookable.

use karcis_kernel::{EventId, Timestamp};

use super::ports::{Events, News, StoreError};
use crate::domain::{Editor, Event, EventOver};

/// Why the event is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishEventError {
    /// There is none, or it is somebody else's.
    #[error("there is no such event")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Over(#[from] EventOver),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The published event; repeatable.
pub async fn publish_event(
    events: &dyn Events,
    by: Editor,
    id: EventId,
    at: Timestamp,
) -> Result<Event, PublishEventError> {
    let locked = events.lock(id).await?.ok_or(PublishEventError::NotFound)?;
    if !by.may_edit(locked.event()) {
        return Err(PublishEventError::NotFound);
    }
    let Some(published) = locked.event().publish(at)? else {
        return Ok(locked.event().clone());
    };
    locked.save(&published, Some(News::Published)).await?;
    Ok(published)
}
