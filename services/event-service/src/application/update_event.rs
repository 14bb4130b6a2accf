//! An organiser changes an event.

use karcis_kernel::EventId;

use super::ports::{Events, News, StoreError};
use crate::domain::{Editor, Event, EventUpdate, Stage, UpdateRefused};

/// Why the event stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum UpdateEventError {
    /// There is none, or it is somebody else's.
    #[error("there is no such event")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Refused(#[from] UpdateRefused),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The event as it is then. Drafts change in silence.
pub async fn update_event(
    events: &dyn Events,
    by: Editor,
    id: EventId,
    update: EventUpdate,
) -> Result<Event, UpdateEventError> {
    let locked = events.lock(id).await?.ok_or(UpdateEventError::NotFound)?;
    if !by.may_edit(locked.event()) {
        return Err(UpdateEventError::NotFound);
    }
    let Some(updated) = locked.event().update(update)? else {
        return Ok(locked.event().clone());
    };
    let news = (updated.stage == Stage::Published).then_some(News::Updated);
    locked.save(&updated, news).await?;
    Ok(updated)
}
