//! A buyer cancels a booking.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{Decider, StoreError, decide_and_commit};
use karcis_kernel::{BookingId, UserId};

use super::{
    Bookings,
    unit_of_work::{UnitOfWork, commit_unit, load_unit},
};
use crate::domain::{Booking, DecisionContext, Input, Refusal};

/// Why a booking was not cancelled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CancelBookingError {
    /// There is no such booking, or another buyer has it.
    #[error("there is no such booking")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Cancels the buyer's booking and returns it as it is then. A booking that is already being
/// cancelled is returned unchanged.
pub async fn cancel_booking(
    bookings: &dyn Bookings,
    context: DecisionContext,
    buyer: UserId,
    id: BookingId,
) -> Result<Booking, CancelBookingError> {
    let decider = CancelBooking { bookings, context, buyer };
    decide_and_commit(&decider, &[id]).await?.pop().ok_or(CancelBookingError::NotFound)
}

struct CancelBooking<'a> {
    bookings: &'a dyn Bookings,
    context: DecisionContext,
    buyer: UserId,
}

#[async_trait]
impl Decider for CancelBooking<'_> {
    type Job = BookingId;
    type Key = BookingId;
    type UnitOfWork = UnitOfWork;
    type Output = Booking;
    type Error = CancelBookingError;

    fn key(&self, id: &BookingId) -> BookingId {
        *id
    }

    async fn load(&self, ids: &[&BookingId], _round: u32) -> Result<UnitOfWork, StoreError> {
        load_unit(self.bookings, ids.iter().copied().copied()).await
    }

    fn decide(&self, unit: &mut UnitOfWork, id: &BookingId) -> Result<Booking, CancelBookingError> {
        let change = match unit.get_mut(id) {
            Some(Ok(change)) if change.after.order.buyer == self.buyer => change,
            Some(Err(unreadable)) => return Err(StoreError::from(unreadable.clone()).into()),
            Some(Ok(_)) | None => return Err(CancelBookingError::NotFound),
        };
        change.apply(self.context, &Input::Cancel)?;
        Ok(change.after.clone())
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<BookingId>, StoreError> {
        commit_unit(self.bookings, unit).await
    }
}
