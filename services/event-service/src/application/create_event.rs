//! An organiser adds an event.

use karcis_kernel::Timestamp;

use super::ports::{Events, News, StoreError};
use crate::domain::{Event, Flaw, NewEvent};

/// Why there is no new event.
#[derive(Debug, thiserror::Error)]
pub enum CreateEventError {
    /// It would be no proper event.
    #[error("correct the named fields")]
    Flawed(Vec<Flaw>),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The new event, stored and, if it is to be published, announced.
pub async fn create_event(
    events: &dyn Events,
    new: NewEvent,
    at: Timestamp,
) -> Result<Event, CreateEventError> {
    let news = new.publish.then_some(News::Published);
    let event = Event::create(new, at).map_err(CreateEventError::Flawed)?;
    events.add(&event, news).await?;
    Ok(event)
}
