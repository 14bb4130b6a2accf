//! Asks the provider again about attempts without an outcome.

use futures_util::future::join_all;
use karcis_database::StoreError;
use karcis_kernel::Timestamp;

use super::{
    PAGE,
    ports::{Answer, Charge, PaymentGateway, Payments, Waiting},
    record_outcomes,
};
use crate::domain::{Outcome, Payment, State};

/// Asks the provider again, with the same key, for every attempt started before `before` that has
/// no outcome. Returns of how many the provider does not know the outcome; those that wait for
/// their buyer are not counted.
pub async fn resolve_attempts(
    payments: &dyn Payments,
    gateway: &dyn PaymentGateway,
    before: Timestamp,
) -> Result<usize, StoreError> {
    let (mut after, mut unresolved) = (None, 0);
    loop {
        let page = payments.waiting(Waiting::Outcome(before), after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(unresolved) };
        after = Some(last.booking_id);
        let answers = join_all(page.into_iter().map(|payment| ask(gateway, payment))).await;
        let mut answers: Vec<Answer> = answers.into_iter().flatten().collect();
        let is_unresolved =
            |answer: &&Answer| matches!(answer.outcome, Outcome::Unknown | Outcome::Pending);
        unresolved += answers.iter().filter(is_unresolved).count();
        answers.retain(|answer| answer.outcome != Outcome::Unknown);
        record_outcomes(payments, &answers).await?;
    }
}

async fn ask(gateway: &dyn PaymentGateway, payment: Payment) -> Option<Answer> {
    let State::Processing { attempt, .. } = payment.state else { return None };
    let outcome = gateway.charge(Charge::of(&payment, attempt)?).await;
    Some(Answer { payment, attempt, outcome })
}
