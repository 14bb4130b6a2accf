//! Stores what the provider said of attempts, with the facts that follow.

use karcis_kernel::BookingId;

use super::{
    draft::{Job, decide},
    ports::{Answered, Payments, StoreError},
};
use crate::domain::{Payment, resolve};

impl Job for Answered {
    fn booking_id(&self) -> BookingId {
        self.payment.booking_id
    }

    fn seen(&self) -> Option<&Payment> {
        Some(&self.payment)
    }
}

/// The payments after each answer, in their order. An answer that is known already changes nothing.
pub async fn record_outcomes(
    payments: &dyn Payments,
    answers: &[Answered],
) -> Result<Vec<Payment>, StoreError> {
    decide(payments, answers, |draft, answered| {
        let booking = answered.booking_id();
        let now = draft.payment(booking).unwrap_or(&answered.payment);
        let verdict = resolve(now, answered.attempt, &answered.outcome);
        draft.apply(booking, verdict);
        draft.payment(booking).unwrap_or(&answered.payment).clone()
    })
    .await
}
