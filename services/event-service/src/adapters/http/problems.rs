//! The problem of each error of a use case.

use karcis_http::{IdempotencyKey, Problem};

use super::fields::invalid;
use crate::{
    application::{
        CancelEventError, CreateEventError, DeleteEventError, DuplicateEventError,
        PublishEventError, UnpublishEventError, UpdateEventError,
    },
    domain::{CapacityBelowSold, EventHasBookings, EventOver, UnpublishRefusal, UpdateRefusal},
};

impl From<CreateEventError> for Problem {
    fn from(error: CreateEventError) -> Self {
        match error {
            CreateEventError::Invalid(errors) => invalid(errors),
            CreateEventError::KeyReused => IdempotencyKey::reused(),
            CreateEventError::Deleted => Self::not_found().detail(error.to_string()),
            CreateEventError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateEventError> for Problem {
    fn from(error: UpdateEventError) -> Self {
        match error {
            UpdateEventError::NotFound => Self::not_found(),
            UpdateEventError::Refused(refusal) => update_refused(refusal),
            UpdateEventError::Store(error) => error.into(),
        }
    }
}

impl From<PublishEventError> for Problem {
    fn from(error: PublishEventError) -> Self {
        match error {
            PublishEventError::NotFound => Self::not_found(),
            PublishEventError::Over(over) => event_over(over),
            PublishEventError::Store(error) => error.into(),
        }
    }
}

impl From<UnpublishEventError> for Problem {
    fn from(error: UnpublishEventError) -> Self {
        match error {
            UnpublishEventError::NotFound => Self::not_found(),
            UnpublishEventError::Refused(UnpublishRefusal::Over(over)) => event_over(over),
            UnpublishEventError::Refused(UnpublishRefusal::HasBookings(why)) => has_bookings(why),
            UnpublishEventError::Store(error) => error.into(),
        }
    }
}

impl From<CancelEventError> for Problem {
    fn from(error: CancelEventError) -> Self {
        match error {
            CancelEventError::NotFound => Self::not_found(),
            CancelEventError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteEventError> for Problem {
    fn from(error: DeleteEventError) -> Self {
        match error {
            DeleteEventError::NotFound => Self::not_found(),
            DeleteEventError::HasBookings(why) => has_bookings(why),
            DeleteEventError::Store(error) => error.into(),
        }
    }
}

impl From<DuplicateEventError> for Problem {
    fn from(error: DuplicateEventError) -> Self {
        match error {
            DuplicateEventError::NotFound => Self::not_found(),
            DuplicateEventError::OutOfCalendar(why) => {
                Self::invalid_field("starts_at", why.to_string())
            }
            DuplicateEventError::Store(error) => error.into(),
        }
    }
}

fn update_refused(refusal: UpdateRefusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        UpdateRefusal::Invalid(errors) => invalid(errors),
        UpdateRefusal::VersionConflict { current } => {
            let title = "The event was edited meanwhile";
            Problem::conflict("version-conflict", title).detail(detail).with("version", current)
        }
        UpdateRefusal::Over(over) => event_over(over),
        UpdateRefusal::CurrencyFrozen { currency } => {
            let title = "The currency can no longer change";
            Problem::conflict("currency-frozen", title).detail(detail).with("currency", currency)
        }
        UpdateRefusal::CapacityBelowSold(CapacityBelowSold { taken }) => {
            let title = "More seats are taken than would be left";
            Problem::conflict("capacity-below-sold", title).detail(detail).with("taken", taken)
        }
    }
}

fn event_over(over: EventOver) -> Problem {
    Problem::conflict("event-over", "The event is cancelled or over").detail(over.to_string())
}

fn has_bookings(why: EventHasBookings) -> Problem {
    Problem::conflict("event-has-bookings", "The event has had bookings").detail(why.to_string())
}
