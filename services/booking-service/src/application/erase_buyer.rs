//! A person is erased: the person's unconfirmed bookings are cancelled.

use karcis_database::StoreError;
use karcis_kernel::UserId;

use super::{
    Bookings, UnconfirmedBookings,
    apply_inputs::{Applied, apply_inputs},
};
use crate::domain::{DecisionContext, Input};

/// How many times `limit` bookings are cancelled by one call.
const ROUNDS: u32 = 20;

/// Cancels the buyer's unconfirmed bookings, `limit` at a time; `Unavailable` if that many rounds
/// leave some. A booking that is paid and past its refund window stays.
pub async fn erase_buyer(
    bookings: &dyn Bookings,
    unconfirmed: &dyn UnconfirmedBookings,
    context: DecisionContext,
    buyer: UserId,
    limit: u16,
) -> Result<Applied, StoreError> {
    let mut all = Applied::default();
    let mut after = None;
    for _ in 0..ROUNDS {
        let ids = unconfirmed.unconfirmed_of(buyer, after, limit).await?;
        after = ids.last().copied();
        let is_last = ids.len() < usize::from(limit);
        let inputs: Vec<_> = ids.into_iter().map(|id| (id, Input::Cancel)).collect();
        let applied = apply_inputs(bookings, context, &inputs).await?;
        all += applied;
        if is_last {
            return Ok(all);
        }
    }
    Err(StoreError::unavailable("the erased buyer has more bookings: go on with the next try"))
}
