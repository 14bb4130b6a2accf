//! Voids the intents of payments that are to be cancelled while an attempt has no outcome.

use futures_util::future::join_all;
use karcis_database::StoreError;

use super::{
    PAGE,
    ports::{Answer, PaymentGateway, Payments, Waiting},
    record_outcomes,
};
use crate::domain::{Outcome, Payment, State};

/// Voids every one of them. Where the money had come before, the payment succeeds instead.
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
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        record_outcomes(payments, &answers).await?;
    }
}

async fn void(gateway: &dyn PaymentGateway, payment: Payment) -> Option<Answer> {
    let State::Processing { attempt, .. } = payment.state else { return None };
    match gateway.void(payment.booking_id).await {
        Outcome::Unknown => None,
        outcome => Some(Answer { payment, attempt, outcome }),
    }
}
