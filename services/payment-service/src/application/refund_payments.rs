//! Sends money back: refunds that the saga asked for, and reversals of money that came too late or
//! twice.

use futures_util::future::join_all;
use karcis_database::StoreError;
use karcis_kernel::{BookingId, Money};

use super::{
    ports::{Page, PaymentGateway, ProviderUnavailable, Refund, Waiting, WaitingPayments},
    unit_of_work::{PaymentJob, UnitOfWork, decide_all},
};
use crate::domain::{Payment, RefundKind, RefundOutcome, Verdict, due_refunds, record_refund};

/// What has to be looked at after the refunds of a page.
#[derive(Default)]
pub struct RefundReport {
    /// Why the provider could not be asked; those refunds are tried again in the next pass.
    pub unavailable: Vec<ProviderUnavailable>,
    /// What the provider refuses since this pass: an operator has to settle it.
    pub refused: Vec<RefusedRefund>,
    /// Why one of the answers could not be stored: the provider is asked again in the next pass.
    pub unstored: Option<StoreError>,
}

/// A refund or a reversal that the provider refuses.
pub struct RefusedRefund {
    pub booking_id: BookingId,
    pub kind: RefundKind,
    /// The provider's word for why.
    pub reason: String,
}

/// Asks the provider for the due refunds of up to `limit` payments after booking `after`, and
/// publishes what became of them. Returns the booking after which there are more.
pub async fn refund_payments(
    payments: &dyn WaitingPayments,
    gateway: &dyn PaymentGateway,
    after: Option<BookingId>,
    limit: u16,
    report: &mut RefundReport,
) -> Result<Option<BookingId>, StoreError> {
    let Page { payments: page, next } = payments.waiting(Waiting::Refund, after, limit).await?;
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
    let (refused, failure) = decide_all(payments, &answers).await;
    report.refused.extend(refused.into_iter().flatten());
    report.unstored = failure;
    Ok(next)
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

impl PaymentJob for RefundAnswer {
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
