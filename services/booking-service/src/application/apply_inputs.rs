//! Applies inputs (answers of other services, due timers, cancellations) to their bookings, many at a
//! time.

use std::{collections::HashSet, slice};

use async_trait::async_trait;
use karcis_database::{Decider, StoreError, decide_and_commit};
use karcis_kernel::BookingId;

use super::{
    Bookings,
    unit_of_work::{UnitOfWork, commit_unit, load_unit},
};
use crate::domain::{DecisionContext, Input};

/// How many inputs a batch had, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that changed their booking.
    pub accepted: u64,
    /// Inputs that were late, repeated, or for an unknown booking.
    pub stale: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.stale += other.stale;
    }
}

/// Decides the inputs, each booking's in their order, and commits what they change. Applying the same
/// batch again is harmless.
pub async fn apply_inputs(
    bookings: &dyn Bookings,
    context: DecisionContext,
    inputs: &[(BookingId, Input)],
) -> Result<Tally, StoreError> {
    let outcomes = decide_and_commit(&ApplyInputs { bookings, context }, inputs).await?;
    let accepted = outcomes.iter().filter(|accepted| **accepted).count() as u64;
    Ok(Tally { accepted, stale: outcomes.len() as u64 - accepted })
}

/// Bookings that the store rejects, such as those of unreadable rows, with why.
pub type Rejected = Vec<(BookingId, StoreError)>;

/// Applies the inputs as [`apply_inputs`] does. A booking that the store rejects does not stop the
/// others: the batch is applied again, input by input, and the rejected ones are returned.
pub(super) async fn apply_what_can_be(
    bookings: &dyn Bookings,
    context: DecisionContext,
    inputs: &[(BookingId, Input)],
) -> Result<Rejected, StoreError> {
    let mut rejected = vec![];
    match apply_inputs(bookings, context, inputs).await {
        Err(StoreError::RejectedByStore(_)) => {}
        applied => return applied.map(|_| rejected),
    }
    for input in inputs {
        match apply_inputs(bookings, context, slice::from_ref(input)).await {
            Err(error @ StoreError::RejectedByStore(_)) => rejected.push((input.0, error)),
            // A locked booking comes again, and what is rejected has to be known.
            Ok(_) | Err(StoreError::Contended(_)) => {}
            Err(error) if rejected.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(rejected)
}

struct ApplyInputs<'a> {
    bookings: &'a dyn Bookings,
    context: DecisionContext,
}

#[async_trait]
impl Decider for ApplyInputs<'_> {
    type Job = (BookingId, Input);
    type Key = BookingId;
    type UnitOfWork = UnitOfWork;
    /// Whether the input was accepted.
    type Output = bool;
    type Error = StoreError;

    fn key(&self, (id, _): &Self::Job) -> BookingId {
        *id
    }

    async fn load(&self, jobs: &[&Self::Job], _round: u32) -> Result<UnitOfWork, StoreError> {
        load_unit(self.bookings, jobs.iter().map(|(id, _)| *id)).await
    }

    fn decide(&self, unit: &mut UnitOfWork, (id, input): &Self::Job) -> Result<bool, StoreError> {
        let Some(change) = unit.get_mut(id) else { return Ok(false) };
        // A refusal has no caller here: it counts as stale.
        Ok(change.apply(self.context, input).unwrap_or(false))
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<BookingId>, StoreError> {
        commit_unit(self.bookings, unit).await
    }
}
