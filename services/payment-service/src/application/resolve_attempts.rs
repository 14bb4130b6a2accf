//! Finds out what became of attempts that a crash or a slow provider left unresolved.

use futures_util::future::join_all;
use karcis_kernel::Timestamp;

use super::{
    PAGE,
    ports::{Answered, Charge, PaymentGateway, Payments, StoreError, Waiting},
    record_outcomes,
};
use crate::domain::{Outcome, Payment, State};

/// Asks the provider again, with the same key, for every attempt started before `before` whose
/// outcome is unknown. Returns how many stay unknown.
pub async fn resolve_attempts(
    payments: &dyn Payments,
    gateway: &dyn PaymentGateway,
    before: Timestamp,
) -> Result<usize, StoreError> {
    let (mut after, mut unknown) = (None, 0);
    loop {
        let page = payments.waiting(Waiting::Answer(before), after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(unknown) };
        after = Some(last.booking_id);
        let asked = page.len();
        let answers = join_all(page.into_iter().map(|payment| ask(gateway, payment))).await;
        let answers: Vec<Answered> = answers.into_iter().flatten().collect();
        unknown += asked - answers.len();
        record_outcomes(payments, &answers).await?;
    }
}

async fn ask(gateway: &dyn PaymentGateway, payment: Payment) -> Option<Answered> {
    let State::Processing { attempt, .. } = payment.state else { return None };
    match gateway.charge(Charge::of(&payment, attempt)?).await {
        Outcome::Unknown => None,
        outcome => Some(Answered { payment, attempt, outcome }),
    }
}
