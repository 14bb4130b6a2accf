//! What an operator does to one booking, recorded in the transaction of the act.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{Decider, PrivilegedAct, StoreError, decide_and_commit};
use karcis_kernel::BookingId;

use super::{
    Bookings,
    unit_of_work::{UnitOfWork, commit_unit, load_unit},
};
use crate::domain::{Booking, DecisionContext, Input, Refusal};

/// Why nothing was done to a booking.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OperatorError {
    #[error("there is no such booking")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Applies the operator's input. Returns the booking as it is then, and whether that changed anything:
/// only then the act is recorded.
pub(super) async fn apply_by_operator(
    bookings: &dyn Bookings,
    context: DecisionContext,
    input: Input,
    id: BookingId,
    act: PrivilegedAct,
) -> Result<(Booking, bool), OperatorError> {
    let decider = ByOperator { bookings, context, input, act };
    decide_and_commit(&decider, &[id]).await?.pop().ok_or(OperatorError::NotFound)
}

struct ByOperator<'a> {
    bookings: &'a dyn Bookings,
    context: DecisionContext,
    input: Input,
    act: PrivilegedAct,
}

#[async_trait]
impl Decider for ByOperator<'_> {
    type Job = BookingId;
    type Key = BookingId;
    type UnitOfWork = UnitOfWork;
    type Output = (Booking, bool);
    type Error = OperatorError;

    fn key(&self, id: &BookingId) -> BookingId {
        *id
    }

    async fn load(&self, ids: &[&BookingId], _round: u32) -> Result<UnitOfWork, StoreError> {
        load_unit(self.bookings, ids.iter().copied().copied()).await
    }

    fn decide(
        &self,
        unit: &mut UnitOfWork,
        id: &BookingId,
    ) -> Result<(Booking, bool), OperatorError> {
        let change = match unit.get_mut(id) {
            Some(Ok(change)) => change,
            Some(Err(unreadable)) => return Err(StoreError::from(unreadable.clone()).into()),
            None => return Err(OperatorError::NotFound),
        };
        let is_accepted = change.apply(self.context, &self.input)?;
        change.act = is_accepted.then(|| self.act.clone());
        Ok((change.after.clone(), is_accepted))
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<BookingId>, StoreError> {
        commit_unit(self.bookings, unit).await
    }
}
