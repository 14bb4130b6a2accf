//! Charges an attempt that is stored, and stores the answer.

use karcis_database::StoreError;
use karcis_kernel::Bug;

use super::{
    ports::{Charge, PaymentGateway, Payments, ReleasedClaim},
    record_outcomes::AttemptAnswer,
    unit_of_work::decide_one,
};
use crate::domain::{AttemptId, Decline, DeclineKind, Outcome, Payment};

/// The payment with the provider's answer. While there is no outcome, [`super::ask_provider`] finds it
/// out.
pub async fn charge_attempt(
    payments: &dyn Payments,
    gateway: &dyn PaymentGateway,
    payment: Payment,
    attempt: AttemptId,
) -> Result<Payment, StoreError> {
    let Some(charge) = Charge::of(&payment, attempt) else { return Ok(payment) };
    let outcome = match gateway.charge(charge).await {
        Outcome::Unknown if Bug::TimeoutIsDecline.is_planted() => {
            Outcome::Declined(Decline { kind: DeclineKind::Soft, code: "timeout".to_owned() })
        }
        outcome => outcome,
    };
    let payment = match outcome {
        Outcome::Unknown => payment,
        outcome => decide_one(payments, AttemptAnswer { payment, attempt, outcome }).await?,
    };
    if payment.attempt(attempt).is_some_and(|attempt| attempt.outcome.is_none()) {
        let Payment { booking_id, version, .. } = payment;
        let claim = ReleasedClaim { booking_id, version, looked_up: None, unanswered: None };
        payments.release(&[claim]).await?;
    }
    Ok(payment)
}
