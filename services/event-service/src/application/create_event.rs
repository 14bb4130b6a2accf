//! An organiser creates an event.

use karcis_database::{KeyUse, StoreError};
use karcis_kernel::{EventId, Timestamp};

use super::ports::{EventFact, Events};
use crate::domain::{Event, FieldError, NewEvent};

/// Why the event is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateEventError {
    #[error("correct the named fields")]
    Invalid(Vec<FieldError>),
    #[error("the key belongs to another request")]
    KeyReused,
    #[error("the event of this key was deleted: give a new event a key of its own")]
    Deleted,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An event, and whether an earlier request created it.
pub struct Created {
    /// The event as it is now.
    pub event: Event,
    pub is_repeated: bool,
}

/// Stores the new event, publishes it unless it is a draft, and returns it. Requests with the same key and
/// fingerprint create one event.
pub async fn create_event(
    events: &dyn Events,
    new: NewEvent,
    key: Option<KeyUse>,
    at: Timestamp,
) -> Result<Created, CreateEventError> {
    // First, as what was valid then may be too late now.
    if let Some(created) = repeated(events, key.as_ref()).await? {
        return Ok(created);
    }
    let fact = new.publish.then_some(EventFact::Published);
    let event = Event::create(new, at).map_err(CreateEventError::Invalid)?;
    if events.add(&event, fact, key.as_ref()).await? {
        return Ok(Created { event, is_repeated: false });
    }
    // Another request with this key was faster.
    let created = repeated(events, key.as_ref()).await?;
    Ok(created.ok_or_else(|| StoreError::unavailable("the use of a used key is missing"))?)
}

/// The event that an earlier request with this key created.
async fn repeated(
    events: &dyn Events,
    key: Option<&KeyUse>,
) -> Result<Option<Created>, CreateEventError> {
    let Some(key) = key else { return Ok(None) };
    let Some(used) = events.key_use(key).await? else { return Ok(None) };
    if used.fingerprint != key.fingerprint {
        return Err(CreateEventError::KeyReused);
    }
    let id = used.subject.map(EventId).ok_or(CreateEventError::Deleted)?;
    let locked = events.lock(id).await?.ok_or(CreateEventError::Deleted)?;
    Ok(Some(Created { event: locked.event().clone(), is_repeated: true }))
}
