//! Charges an attempt that is stored, and stores the answer.

use super::{
    ports::{Answer, Charge, PaymentGateway, Payments},
    unit_of_work::decide_one,
};
use crate::domain::{AttemptId, Outcome, Payment};
use karcis_database::StoreError;

/// The payment with the provider's answer. It is unchanged while the answer is unknown:
/// [`super::resolve_attempts`] then finds it out.
pub async fn charge_attempt(
    payments: &dyn Payments,
    gateway: &dyn PaymentGateway,
    payment: Payment,
    attempt: AttemptId,
) -> Result<Payment, StoreError> {
    let Some(charge) = Charge::of(&payment, attempt) else { return Ok(payment) };
    match gateway.charge(charge).await {
        Outcome::Unknown => Ok(payment),
        outcome => decide_one(payments, Answer { payment, attempt, outcome }).await,
    }
}
