//! An organiser makes a published event a draft again.

use karcis_database::StoreError;
use karcis_kernel::{EventId, Timestamp};

use super::ports::{EventFact, Events};
use crate::domain::{Editor, Event, UnpublishRefusal};

/// Why the event stays published.
#[derive(Debug, thiserror::Error)]
pub enum UnpublishEventError {
    #[error("there is no such event, or it is another organiser's")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] UnpublishRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the draft. It can be repeated. Readers are told that the event is deleted.
pub async fn unpublish_event(
    events: &dyn Events,
    editor: Editor,
    id: EventId,
    at: Timestamp,
) -> Result<Event, UnpublishEventError> {
    let mut locked = events.lock_for(editor, id).await?.ok_or(UnpublishEventError::NotFound)?;
    let Some(draft) = locked.event().unpublish(at)? else {
        return Ok(locked.event().clone());
    };
    locked.record_of(editor, "unpublish_event", None).await?;
    locked.save(&draft, Some(EventFact::Deleted)).await?;
    Ok(draft)
}
