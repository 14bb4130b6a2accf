//! Asks the provider again about attempts without an outcome.

use futures_util::future::join_all;
use karcis_database::StoreError;
use karcis_kernel::BookingId;

use super::{
    ports::{Charge, Page, PaymentGateway, Waiting, WaitingPayments},
    record_outcomes::{AttemptAnswer, record_outcomes},
};
use crate::domain::{Outcome, Payment, State};

/// What asking again has shown.
pub struct Resolved {
    /// Of how many attempts the provider does not know the outcome, without those that wait for
    /// their buyer.
    pub unresolved: usize,
    /// Why one of the outcomes could not be stored: the provider is asked again in the next pass.
    pub unstored: Option<StoreError>,
    /// The booking after which there are more.
    pub next: Option<BookingId>,
}

/// Asks the provider again, with the same key, for up to `limit` attempts that have no outcome,
/// after booking `after`. `waiting` says which: a [`Waiting::Outcome`].
pub async fn resolve_attempts(
    payments: &dyn WaitingPayments,
    gateway: &dyn PaymentGateway,
    waiting: Waiting,
    after: Option<BookingId>,
    limit: u16,
) -> Result<Resolved, StoreError> {
    let Page { payments: page, next } = payments.waiting(waiting, after, limit).await?;
    let answers = join_all(page.into_iter().map(|payment| ask(gateway, payment))).await;
    let mut answers: Vec<AttemptAnswer> = answers.into_iter().flatten().collect();
    let is_unresolved =
        |answer: &&AttemptAnswer| matches!(answer.outcome, Outcome::Unknown | Outcome::Pending);
    let unresolved = answers.iter().filter(is_unresolved).count();
    answers.retain(|answer| answer.outcome != Outcome::Unknown);
    let unstored = record_outcomes(payments, &answers).await;
    Ok(Resolved { unresolved, unstored, next })
}

async fn ask(gateway: &dyn PaymentGateway, payment: Payment) -> Option<AttemptAnswer> {
    let State::Processing { attempt, .. } = payment.state else { return None };
    let outcome = gateway.charge(Charge::of(&payment, attempt)?).await;
    Some(AttemptAnswer { payment, attempt, outcome })
}
