//! Voids the intents of payments that are to be cancelled while an attempt has no outcome.

use futures_util::future::join_all;
use karcis_database::StoreError;
use karcis_kernel::BookingId;

use super::{
    ports::{Page, PaymentGateway, Waiting, WaitingPayments},
    record_outcomes::{AttemptAnswer, record_outcomes},
};
use crate::domain::{Outcome, Payment, State};

/// Voids up to `limit` of them after booking `after`. Where the money had come before, the payment
/// succeeds instead. Returns why one of the outcomes could not be stored, and the booking after which
/// there are more.
pub async fn void_attempts(
    payments: &dyn WaitingPayments,
    gateway: &dyn PaymentGateway,
    after: Option<BookingId>,
    limit: u16,
) -> Result<(Option<StoreError>, Option<BookingId>), StoreError> {
    let Page { payments: page, next } = payments.waiting(Waiting::Void, after, limit).await?;
    let answers = join_all(page.into_iter().map(|payment| void(gateway, payment))).await;
    let answers: Vec<AttemptAnswer> = answers.into_iter().flatten().collect();
    Ok((record_outcomes(payments, &answers).await, next))
}

async fn void(gateway: &dyn PaymentGateway, payment: Payment) -> Option<AttemptAnswer> {
    let State::Processing { attempt, .. } = payment.state else { return None };
    match gateway.void(payment.booking_id).await {
        Outcome::Unknown => None,
        outcome => Some(AttemptAnswer { payment, attempt, outcome }),
    }
}
