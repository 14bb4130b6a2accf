//! Charges an attempt that is stored, and stores the answer.

use karcis_database::StoreError;

use super::{
    ports::{Charge, PaymentGateway, Payments},
    record_outcomes::AttemptAnswer,
    unit_of_work::decide_one,
};
use crate::domain::{AttemptId, Outcome, Payment};

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
        outcome => decide_one(payments, AttemptAnswer { payment, attempt, outcome }).await,
    }
}
