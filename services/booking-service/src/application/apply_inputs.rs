//! Applies inputs (answers of other services, due timers, cancellations) to their bookings, many at a
//! time.

use std::collections::{BTreeSet, HashSet};

use async_trait::async_trait;
use karcis_database::{Decider, StoreError, UnreadableRow, decide_each};
use karcis_kernel::BookingId;

use super::{
    Bookings,
    unit_of_work::{UnitOfWork, commit_unit, load_unit},
};
use crate::domain::{Comparison, DecisionContext, Input};

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

/// Bookings that the store rejects, and those of unreadable rows, with why.
pub type Rejected = Vec<(BookingId, StoreError)>;

/// What became of a batch of inputs.
#[derive(Default)]
pub struct Applied {
    pub tally: Tally,
    pub rejected: Rejected,
    /// Bookings that others have locked: none of their inputs was applied. They may be applied later.
    pub locked: BTreeSet<BookingId>,
    /// What answers say of the ends that bookings came to, in their order.
    pub comparisons: Vec<(BookingId, Comparison)>,
}

impl std::ops::AddAssign for Applied {
    fn add_assign(&mut self, other: Self) {
        self.tally += other.tally;
        self.rejected.extend(other.rejected);
        self.locked.extend(other.locked);
        self.comparisons.extend(other.comparisons);
    }
}

/// Decides the inputs, each booking's in their order, and commits what they change. Applying the same
/// batch again is harmless. A booking that the store rejects, or that others have locked, does not stop
/// the others.
pub async fn apply_inputs(
    bookings: &dyn Bookings,
    context: DecisionContext,
    inputs: &[(BookingId, Input)],
) -> Result<Applied, StoreError> {
    let (mut applied, mut failure) = (Applied::default(), None);
    let Applied { tally, rejected, locked, comparisons } = &mut applied;
    let outcomes = decide_each(&ApplyInputs { bookings, context }, inputs).await;
    for ((id, _), outcome) in inputs.iter().zip(outcomes) {
        match outcome {
            Ok(Outcome::Accepted) => tally.accepted += 1,
            Ok(Outcome::Stale(comparison)) => {
                tally.stale += 1;
                comparisons.extend(comparison.map(|comparison| (*id, comparison)));
            }
            Ok(Outcome::Unreadable(row)) => rejected.push((*id, row.into())),
            Err(error @ StoreError::RejectedByStore(_)) => rejected.push((*id, error)),
            Err(StoreError::Contended(_)) => {
                locked.insert(*id);
            }
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if rejected.is_empty() => Err(error),
        // What is rejected has to be known; the others come again.
        _ => Ok(applied),
    }
}

/// What became of an input.
enum Outcome {
    Accepted,
    /// What it says of the booking's end, if it has ended.
    Stale(Option<Comparison>),
    Unreadable(UnreadableRow),
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
    type Output = Outcome;
    type Error = StoreError;

    fn key(&self, (id, _): &Self::Job) -> BookingId {
        *id
    }

    async fn load(&self, jobs: &[&Self::Job], _round: u32) -> Result<UnitOfWork, StoreError> {
        load_unit(self.bookings, jobs.iter().map(|(id, _)| *id)).await
    }

    fn decide(
        &self,
        unit: &mut UnitOfWork,
        (id, input): &Self::Job,
    ) -> Result<Outcome, StoreError> {
        Ok(match unit.get_mut(id) {
            Some(Ok(change)) => match change.apply(self.context, input) {
                Ok(true) => Outcome::Accepted,
                // A refusal has no caller here.
                Ok(false) | Err(_) => Outcome::Stale(change.after.compare(input)),
            },
            Some(Err(unreadable)) => Outcome::Unreadable(unreadable.clone()),
            None => Outcome::Stale(None),
        })
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<BookingId>, StoreError> {
        commit_unit(self.bookings, unit).await
    }
}
