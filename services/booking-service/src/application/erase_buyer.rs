//! A person is erased: the person's unconfirmed bookings are cancelled.

use karcis_database::StoreError;
use karcis_kernel::UserId;

use super::{
    Bookings, Tally, UnconfirmedBookings,
    apply_inputs::{Rejected, apply_inputs},
};
use crate::domain::{DecisionContext, Input};

/// How many times `limit` bookings are cancelled by one call.
const ROUNDS: u32 = 20;

/// Cancels the buyer's unconfirmed bookings, `limit` at a time; `Unavailable` if that many rounds
/// leave some. A booking that is paid and past its refund window stays. Returns those that the store
/// rejects, too.
pub async fn erase_buyer(
    bookings: &dyn Bookings,
    unconfirmed: &dyn UnconfirmedBookings,
    context: DecisionContext,
    buyer: UserId,
    limit: u16,
) -> Result<(Tally, Rejected), StoreError> {
    let (mut tally, mut rejected) = (Tally::default(), vec![]);
    let mut after = None;
    for _ in 0..ROUNDS {
        let ids = unconfirmed.unconfirmed_of(buyer, after, limit).await?;
        after = ids.last().copied();
        let is_last = ids.len() < usize::from(limit);
        let inputs: Vec<_> = ids.into_iter().map(|id| (id, Input::Cancel)).collect();
        let applied = apply_inputs(bookings, context, &inputs).await?;
        tally += applied.0;
        rejected.extend(applied.1);
        if is_last {
            return Ok((tally, rejected));
        }
    }
    Err(StoreError::unavailable("the erased buyer has more bookings: go on with the next try"))
}
