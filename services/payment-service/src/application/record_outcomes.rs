//! Stores what the provider said of attempts, with the facts that follow.

use karcis_database::StoreError;
use karcis_kernel::BookingId;

use super::{
    ports::Payments,
    unit_of_work::{PaymentJob, UnitOfWork, decide_all},
};
use crate::domain::{AttemptId, Outcome, Payment, resolve};

/// What the provider said of a payment's attempt.
#[derive(Clone)]
pub struct AttemptAnswer {
    /// The payment as last seen.
    pub payment: Payment,
    pub attempt: AttemptId,
    pub outcome: Outcome,
}

impl PaymentJob for AttemptAnswer {
    type Output = Payment;
    type Error = StoreError;

    fn booking_id(&self) -> BookingId {
        self.payment.booking_id
    }

    fn seen(&self) -> Option<&Payment> {
        Some(&self.payment)
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Payment, StoreError> {
        let booking = self.booking_id();
        let now = unit.payment(booking).unwrap_or(&self.payment);
        let verdict = resolve(now, self.attempt, &self.outcome);
        unit.apply(booking, verdict);
        Ok(unit.payment(booking).unwrap_or(&self.payment).clone())
    }
}

/// Stores the answers, and returns the payments as they are then. A repeated answer changes nothing, and
/// one that cannot be stored does not stop the others: the first error is returned.
pub async fn record_outcomes(
    payments: &dyn Payments,
    answers: &[AttemptAnswer],
) -> (Vec<Payment>, Option<StoreError>) {
    decide_all(payments, answers).await
}
