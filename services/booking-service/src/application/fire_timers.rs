//! Deadlines end and unanswered commands are sent again.

use karcis_database::StoreError;

use super::{Bookings, Timers, apply_inputs::apply_inputs};
use crate::domain::{DecisionContext, Input};

/// Fires up to `limit` timers that are due. Returns how many there were.
pub async fn fire_timers(
    bookings: &dyn Bookings,
    timers: &dyn Timers,
    context: DecisionContext,
    limit: u16,
) -> Result<usize, StoreError> {
    let due = timers.due(context.at, limit).await?.into_iter();
    let inputs: Vec<_> = due
        .map(|timer| {
            (timer.booking_id, if timer.is_deadline { Input::Due } else { Input::ResendDue })
        })
        .collect();
    apply_inputs(bookings, context, &inputs).await?;
    Ok(inputs.len())
}
