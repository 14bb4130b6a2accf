//! A buyer asks for tickets.

use std::sync::Arc;

use super::{Bookings, Change, Creation, RequestKey, StoreError};
use crate::domain::{Booking, Order, place};

/// A booking and whether an earlier request made it.
#[derive(Clone, Debug)]
pub struct Created {
    /// The booking as it is now.
    pub booking: Booking,
    /// Whether the request only repeats one that made it before.
    pub is_repeated: bool,
}

/// Why no booking was made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateBookingError {
    /// Another request used the same key.
    #[error("the key belongs to another request")]
    KeyReused,
    /// It could not be read or written.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Places the order. With a key, the same request makes one booking however often it comes.
pub async fn create_booking(
    bookings: &dyn Bookings,
    order: Order,
    key: Option<RequestKey>,
) -> Result<Created, CreateBookingError> {
    let step = place(Arc::new(order));
    let booking = step.booking.clone();
    let said = key.as_ref().map(|key| key.fingerprint.clone());
    match bookings.create(Change::new(step), key).await? {
        Creation::Placed => Ok(Created { booking, is_repeated: false }),
        Creation::Known { fingerprint, .. } if said != Some(fingerprint.clone()) => {
            Err(CreateBookingError::KeyReused)
        }
        Creation::Known { booking_id, .. } => {
            let known = bookings.load(&[booking_id]).await?.pop();
            let booking = known.ok_or_else(|| {
                StoreError::unavailable(format!("booking {booking_id} of a known key is gone"))
            })?;
            Ok(Created { booking, is_repeated: true })
        }
    }
}
