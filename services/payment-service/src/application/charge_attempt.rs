//! Charges an attempt that is stored, and stores the answer.

use super::ports::{Answer, Attempts, Charge, PaymentGateway, StoreError};
use crate::domain::{AttemptId, Outcome, Payment};

/// The payment with the provider's answer. It is unchanged while the answer is unknown:
/// [`super::resolve_attempts`] then finds it out.
pub async fn charge_attempt(
    attempts: &dyn Attempts,
    gateway: &dyn PaymentGateway,
    payment: Payment,
    attempt: AttemptId,
) -> Result<Payment, StoreError> {
    let Some(charge) = Charge::of(&payment, attempt) else { return Ok(payment) };
    match gateway.charge(charge).await {
        Outcome::Unknown => Ok(payment),
        outcome => attempts.record(Answer { payment, attempt, outcome }).await,
    }
}
