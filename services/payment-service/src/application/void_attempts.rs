//! Voids the intents of payments that are to be cancelled while an attempt is running.

use futures_util::future::join_all;

use super::{
    PAGE,
    ports::{Answered, PaymentGateway, Payments, StoreError, Waiting},
    record_outcomes,
};
use crate::domain::{Outcome, Payment, State};

/// Voids every one of them; money that had come before makes its payment succeed instead.
pub async fn void_attempts(
    payments: &dyn Payments,
    gateway: &dyn PaymentGateway,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = payments.waiting(Waiting::Void, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.booking_id);
        let answers = join_all(page.into_iter().map(|payment| void(gateway, payment))).await;
        let answers: Vec<Answered> = answers.into_iter().flatten().collect();
        record_outcomes(payments, &answers).await?;
    }
}

async fn void(gateway: &dyn PaymentGateway, payment: Payment) -> Option<Answered> {
    let State::Processing { attempt, .. } = payment.state else { return None };
    match gateway.void(payment.booking_id).await {
        Outcome::Unknown => None,
        outcome => Some(Answered { payment, attempt, outcome }),
    }
}
