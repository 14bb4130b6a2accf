//! A person is erased: what they have not yet got is cancelled.

use karcis_kernel::{Timestamp, UserId};

use super::{Bookings, StoreError, Tally, advance::advance};
use crate::domain::Input;

/// Cancels the buyer's unconfirmed bookings, `limit` at a time. One that is paid and too near to
/// its event to be refunded stays.
pub async fn erase_buyer(
    bookings: &dyn Bookings,
    buyer: UserId,
    at: Timestamp,
    limit: u16,
) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut after = None;
    loop {
        let ids = bookings.unconfirmed_of(buyer, after, limit).await?;
        after = ids.last().copied();
        if after.is_none() {
            return Ok(tally);
        }
        let inputs = ids.into_iter().map(|id| (id, Input::Cancel)).collect();
        tally += advance(bookings, at, inputs).await?;
    }
}
