//! What each refusal is over HTTP.

use axum::http::StatusCode;
use karcis_http::{Caller, Problem};

use super::fields::flawed;
use crate::{
    application::{
        cancel_event::CancelEventError, create_event::CreateEventError,
        delete_event::DeleteEventError, ports::StoreError, publish_event::PublishEventError,
        unpublish_event::UnpublishEventError, update_event::UpdateEventError,
    },
    domain::{
        CapacityBelowSold, Editor, EventHasBookings, EventOver, UnpublishRefused, UpdateRefused,
    },
};

/// Who edits.
pub fn editor(caller: Caller) -> Editor {
    Editor { user_id: caller.user_id, role: caller.role }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::unavailable(cause),
            StoreError::Refused(cause) => Self::internal(cause),
        }
    }
}

impl From<CreateEventError> for Problem {
    fn from(error: CreateEventError) -> Self {
        match error {
            CreateEventError::Flawed(flaws) => flawed(flaws),
            CreateEventError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateEventError> for Problem {
    fn from(error: UpdateEventError) -> Self {
        match error {
            UpdateEventError::NotFound => Self::not_found(),
            UpdateEventError::Refused(refused) => update_refused(refused),
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
            UnpublishEventError::Refused(UnpublishRefused::Over(over)) => event_over(over),
            UnpublishEventError::Refused(UnpublishRefused::HasBookings(why)) => has_bookings(why),
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

fn update_refused(refused: UpdateRefused) -> Problem {
    let detail = refused.to_string();
    match refused {
        UpdateRefused::Flawed(flaws) => flawed(flaws),
        UpdateRefused::VersionConflict { current } => {
            let title = "The event was edited meanwhile";
            Problem::new(StatusCode::CONFLICT, "version-conflict", title)
                .detail(detail)
                .with("version", current)
        }
        UpdateRefused::Over(over) => event_over(over),
        UpdateRefused::CurrencyFrozen { currency } => {
            let title = "The currency can no longer change";
            Problem::new(StatusCode::CONFLICT, "currency-frozen", title)
                .detail(detail)
                .with("currency", currency)
        }
        UpdateRefused::CapacityBelowSold(CapacityBelowSold { taken }) => {
            let title = "More seats are taken than would be left";
            Problem::new(StatusCode::CONFLICT, "capacity-below-sold", title)
                .detail(detail)
                .with("taken", taken)
        }
    }
}

fn event_over(over: EventOver) -> Problem {
    Problem::new(StatusCode::CONFLICT, "event-over", "The event is cancelled or over")
        .detail(over.to_string())
}

fn has_bookings(why: EventHasBookings) -> Problem {
    Problem::new(StatusCode::CONFLICT, "event-has-bookings", "The event has had bookings")
        .detail(why.to_string())
}
