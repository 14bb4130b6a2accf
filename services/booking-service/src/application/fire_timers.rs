//! Deadlines end and unanswered commands are sent again.

use karcis_database::StoreError;
use karcis_kernel::BookingId;

use super::{
    Bookings, Timers,
    apply_inputs::{Rejected, apply_inputs},
};
use crate::domain::{DecisionContext, Input};

/// Fires up to `limit` timers that are due, without those of the bookings in `skipped`. Returns how
/// many there were, and the bookings that the store rejected.
pub async fn fire_timers(
    bookings: &dyn Bookings,
    timers: &dyn Timers,
    context: DecisionContext,
    skipped: &[BookingId],
    limit: u16,
) -> Result<(usize, Rejected), StoreError> {
    let due = timers.due(context.at, skipped, limit).await?.into_iter();
    let inputs: Vec<_> = due
        .map(|timer| {
            (timer.booking_id, if timer.is_deadline { Input::Due } else { Input::ResendDue })
        })
        .collect();
    let (_, rejected) = apply_inputs(bookings, context, &inputs).await?;
    Ok((inputs.len(), rejected))
}
