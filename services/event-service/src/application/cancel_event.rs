//! An organiser calls an event off; every booking is then undone through its saga.

use karcis_kernel::EventId;

use super::ports::{Events, News, StoreError};
use crate::domain::{CancelReason, Editor, Event};

/// Why the event still takes place.
#[derive(Debug, thiserror::Error)]
pub enum CancelEventError {
    /// There is none, or it is somebody else's.
    #[error("there is no such event")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The cancelled event; repeatable, the first reason stands.
pub async fn cancel_event(
    events: &dyn Events,
    by: Editor,
    id: EventId,
    reason: CancelReason,
) -> Result<Event, CancelEventError> {
    let locked = events.lock(id).await?.ok_or(CancelEventError::NotFound)?;
    if !by.may_edit(locked.event()) {
        return Err(CancelEventError::NotFound);
    }
    let Some(cancelled) = locked.event().cancel(reason) else {
        return Ok(locked.event().clone());
    };
    locked.save(&cancelled, Some(News::Cancelled)).await?;
    Ok(cancelled)
}
