//! Sends money back: refunds that the saga asked for, and reversals of money that came too late or
//! twice.

use futures_util::future::join_all;
use karcis_database::StoreError;
use karcis_kernel::{BookingId, Money};

use super::{
    PAGE,
    ports::{PaymentGateway, Payments, ProviderUnavailable, Refund, Waiting},
    unit_of_work::{Decision, UnitOfWork, decide},
};
use crate::domain::{Payment, RefundKind, RefundOutcome, Verdict, due_refunds, record_refund};

/// What has to be looked at after the refunds of one pass.
#[derive(Default)]
pub struct RefundReport {
    /// Why the provider could not be asked; those refunds are tried again in the next pass.
    pub unavailable: Vec<ProviderUnavailable>,
    /// What the provider refuses since this pass: an operator has to settle it.
    pub refused: Vec<RefusedRefund>,
}

/// A refund or a reversal that the provider refuses.
pub struct RefusedRefund {
    pub booking_id: BookingId,
    pub kind: RefundKind,
    /// The provider's word for why.
    pub reason: String,
}

/// Asks the provider for all due refunds and publishes what became of them.
pub async fn refund_payments(
    payments: &dyn Payments,
    gateway: &dyn PaymentGateway,
) -> Result<RefundReport, StoreError> {
    let (mut after, mut report) = (None, RefundReport::default());
    loop {
        let page = payments.waiting(Waiting::Refund, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(report) };
        after = Some(last.booking_id);
        let due = page.into_iter().flat_map(|payment| {
            let due = due_refunds(&payment).into_iter();
            due.map(move |(kind, amount)| (payment.clone(), kind, amount))
        });
        let asked = due.map(|(payment, kind, amount)| refund(gateway, payment, kind, amount));
        let mut answers = Vec::new();
        for answer in join_all(asked).await {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(error) => report.unavailable.push(error),
            }
        }
        report.refused.extend(decide(payments, &answers).await?.into_iter().flatten());
    }
}

async fn refund(
    gateway: &dyn PaymentGateway,
    payment: Payment,
    kind: RefundKind,
    amount: Money,
) -> Result<RefundAnswer, ProviderUnavailable> {
    let intent = payment.booking_id;
    let outcome = gateway.refund(Refund { key: kind.key(intent), intent, amount }).await?;
    Ok(RefundAnswer { payment, kind, outcome })
}

struct RefundAnswer {
    /// As last seen.
    payment: Payment,
    kind: RefundKind,
    outcome: RefundOutcome,
}

impl Decision for RefundAnswer {
    /// What is refused since this answer.
    type Output = Option<RefusedRefund>;
    type Error = StoreError;

    fn booking_id(&self) -> BookingId {
        self.payment.booking_id
    }

    fn seen(&self) -> Option<&Payment> {
        Some(&self.payment)
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Option<RefusedRefund>, StoreError> {
        let booking_id = self.booking_id();
        let now = unit.payment(booking_id).unwrap_or(&self.payment);
        let verdict = record_refund(now, self.kind, &self.outcome);
        let refused = match (&verdict, &self.outcome) {
            (Verdict::Changed(..), RefundOutcome::Refused { reason }) => {
                Some(RefusedRefund { booking_id, kind: self.kind, reason: reason.clone() })
            }
            _ => None,
        };
        unit.apply(booking_id, verdict);
        Ok(refused)
    }
}
