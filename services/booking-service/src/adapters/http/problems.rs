//! The use cases' errors as problems.

use karcis_http::{IdempotencyKey, Problem};

use crate::{
    application::{CancelBookingError, CreateBookingError},
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
            CancelBookingError::Refused(Refusal::RefundWindowClosed) => {
                Self::conflict("refund-window-closed", "The time for cancelling is over")
                    .detail("the booking stands; its refundable_until has passed")
            }
            CancelBookingError::Refused(Refusal::Rejected) => {
                Self::conflict("booking-rejected", "The booking was rejected")
                    .detail("there is nothing to cancel: no seat was held and nothing was charged")
            }
            CancelBookingError::Store(error) => error.into(),
        }
    }
}
