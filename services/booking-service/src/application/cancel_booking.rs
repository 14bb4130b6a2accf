//! A buyer wants out of a booking.

use karcis_kernel::{BookingId, Timestamp, UserId};

use super::{Bookings, Change, StoreError};
use crate::domain::{Booking, Input, Refusal, Verdict, decide};

/// Why a booking was not cancelled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CancelBookingError {
    /// There is no such booking, or it is somebody else's.
    #[error("there is no such booking")]
    NotFound,
    /// It is too late.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It could not be read or written.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Cancels the buyer's booking and returns it as it is then. Of one that is on its way out already
/// that is all there is to do.
pub async fn cancel_booking(
    bookings: &dyn Bookings,
    buyer: UserId,
    id: BookingId,
    at: Timestamp,
) -> Result<Booking, CancelBookingError> {
    loop {
        let loaded = bookings.load(&[id]).await?.pop();
        let booking = loaded
            .filter(|booking| booking.order.buyer == buyer)
            .ok_or(CancelBookingError::NotFound)?;
        let step = match decide(&booking, at, &Input::Cancel) {
            Verdict::Moved(step) => step,
            Verdict::Ignored => return Ok(booking),
            Verdict::Refused(refusal) => return Err(refusal.into()),
        };
        let cancelled = step.booking.clone();
        let conflicts = bookings.commit(vec![Change::unchanged(booking).then(step)]).await?;
        if conflicts.is_empty() {
            return Ok(cancelled);
        }
    }
}
