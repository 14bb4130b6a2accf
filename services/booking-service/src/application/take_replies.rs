//! event-service and payment-service have answered: their bookings move on.

use karcis_kernel::{BookingId, Timestamp};

use super::{Bookings, StoreError, Tally, advance::advance};
use crate::domain::Input;

/// Takes a batch of answers in their order. Returns how many moved their booking; taking the same
/// batch again is harmless.
pub async fn take_replies(
    bookings: &dyn Bookings,
    at: Timestamp,
    replies: Vec<(BookingId, Input)>,
) -> Result<Tally, StoreError> {
    advance(bookings, at, replies).await
}
