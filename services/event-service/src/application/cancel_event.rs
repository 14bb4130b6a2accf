//! An organiser cancels an event; every booking of it is then undone through its saga.

use karcis_database::StoreError;
use karcis_kernel::{EventId, Timestamp};

use super::{
    announce_cancelled::next_announcement,
    ports::{EventFact, Events},
};
use crate::domain::{CancelReason, Editor, Event};

/// Why the event is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelEventError {
    #[error("there is no such event, or it is another organiser's")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the cancelled event. It can be repeated: the first reason stands.
pub async fn cancel_event(
    events: &dyn Events,
    editor: Editor,
    id: EventId,
    reason: CancelReason,
    at: Timestamp,
) -> Result<Event, CancelEventError> {
    let mut locked = events.lock_for(editor, id).await?.ok_or(CancelEventError::NotFound)?;
    let Some(cancelled) = locked.event().cancel(reason.clone()) else {
        return Ok(locked.event().clone());
    };
    locked.record_of(editor, "cancel_event", Some(&reason)).await?;
    // Nobody was told of a draft.
    let next = next_announcement(at, 1);
    let fact = cancelled.stage.is_public().then_some(EventFact::Cancelled { next });
    locked.save(&cancelled, fact).await?;
    Ok(cancelled)
}
