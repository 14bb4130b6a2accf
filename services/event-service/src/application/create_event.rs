//! An organiser creates an event.

use karcis_database::StoreError;
use karcis_kernel::Timestamp;

use super::ports::{EventFact, Events};
use crate::domain::{Event, FieldError, NewEvent};

/// Why the event is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateEventError {
    #[error("correct the named fields")]
    Invalid(Vec<FieldError>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores the new event, publishes it unless it is a draft, and returns it.
pub async fn create_event(
    events: &dyn Events,
    new: NewEvent,
    at: Timestamp,
) -> Result<Event, CreateEventError> {
    let fact = new.publish.then_some(EventFact::Published);
    let event = Event::create(new, at).map_err(CreateEventError::Invalid)?;
    events.add(&event, fact).await?;
    Ok(event)
}
