//! An organiser publishes an event: it can be booked.

use karcis_database::StoreError;
use karcis_kernel::{EventId, Timestamp};

use super::ports::{EventFact, Events};
use crate::domain::{Editor, Event, EventOver};

/// Why the event is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishEventError {
    #[error("there is no such event, or it is another organiser's")]
    NotFound,
    #[error(transparent)]
    Over(#[from] EventOver),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the published event. It can be repeated.
pub async fn publish_event(
    events: &dyn Events,
    editor: Editor,
    id: EventId,
    at: Timestamp,
) -> Result<Event, PublishEventError> {
    let locked = events.lock_for(editor, id).await?.ok_or(PublishEventError::NotFound)?;
    let Some(published) = locked.event().publish(at)? else {
        return Ok(locked.event().clone());
    };
    locked.save(&published, Some(EventFact::Published)).await?;
    Ok(published)
}
