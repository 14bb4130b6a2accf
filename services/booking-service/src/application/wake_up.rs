//! Deadlines strike and unanswered commands are sent again.

use karcis_kernel::Timestamp;

use super::{Alarms, Bookings, StoreError, Tally, advance::advance};
use crate::domain::Input;

/// Wakes up to `limit` bookings whose time has come. Returns how many there were and what became
/// of them.
pub async fn wake_up(
    bookings: &dyn Bookings,
    alarms: &dyn Alarms,
    at: Timestamp,
    limit: u16,
) -> Result<(usize, Tally), StoreError> {
    let ringing = alarms.ringing(at, limit).await?;
    let count = ringing.len();
    let inputs = ringing
        .into_iter()
        .map(|alarm| (alarm.booking_id, if alarm.is_due { Input::Due } else { Input::Wake }))
        .collect();
    Ok((count, advance(bookings, at, inputs).await?))
}
