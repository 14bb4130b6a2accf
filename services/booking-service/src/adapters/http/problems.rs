//! The use cases' errors as problems.

use karcis_http::{IdempotencyKey, Problem};

use crate::{
    application::{CancelBookingError, CreateBookingError, OperatorError, ResendTicketsError},
    domain::Refusal,
};

impl From<CreateBookingError> for Problem {
    fn from(error: CreateBookingError) -> Self {
        match error {
            CreateBookingError::KeyReused => IdempotencyKey::reused(),
            CreateBookingError::Store(error) => error.into(),
        }
    }
}

impl From<CancelBookingError> for Problem {
    fn from(error: CancelBookingError) -> Self {
        match error {
            CancelBookingError::NotFound => Self::not_found(),
            CancelBookingError::Refused(refusal) => refused(refusal),
            CancelBookingError::Store(error) => error.into(),
        }
    }
}

impl From<ResendTicketsError> for Problem {
    fn from(error: ResendTicketsError) -> Self {
        match error {
            ResendTicketsError::NotFound => Self::not_found(),
            ResendTicketsError::NotConfirmed => {
                Self::conflict("booking-not-confirmed", "The booking is not confirmed")
                    .detail("there are no tickets to send; look at the booking's status")
            }
            ResendTicketsError::Store(error) => error.into(),
        }
    }
}

impl From<OperatorError> for Problem {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::NotFound => Self::not_found(),
            OperatorError::Refused(refusal) => refused(refusal),
            OperatorError::Store(error) => error.into(),
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::RefundWindowClosed => {
            Problem::conflict("refund-window-closed", "The time for cancelling is over")
                .detail("the booking stands; its refundable_until has passed")
        }
        Refusal::Rejected => Problem::conflict("booking-rejected", "The booking was rejected")
            .detail("there is nothing to cancel: no seat was held and nothing was charged"),
    }
}
