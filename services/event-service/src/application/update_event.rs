//! An organiser updates an event.

use karcis_database::StoreError;
use karcis_kernel::{EventId, Timestamp};

use super::ports::{EventFact, Events};
use crate::domain::{Editor, Event, EventUpdate, Stage, UpdateRefusal};

/// Why the event is not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateEventError {
    #[error("there is no such event, or it is another organiser's")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] UpdateRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the event after the update. An update of a draft is not published.
pub async fn update_event(
    events: &dyn Events,
    editor: Editor,
    id: EventId,
    update: EventUpdate,
    at: Timestamp,
) -> Result<Event, UpdateEventError> {
    let locked = events.lock_for(editor, id).await?.ok_or(UpdateEventError::NotFound)?;
    let Some(updated) = locked.event().update(update, at)? else {
        return Ok(locked.event().clone());
    };
    let fact = (updated.stage == Stage::Published).then_some(EventFact::Updated);
    locked.save(&updated, fact).await?;
    Ok(updated)
}
