//! An operator records what the provider says of what it left open.

use karcis_database::{PrivilegedAct, StoreError};
use karcis_kernel::{BookingId, Bug};

use super::{
    ports::UnsettledPayments,
    unit_of_work::{PaymentJob, UnitOfWork, decide_one},
};
use crate::domain::{AttemptId, Payment, PaymentRecord, Settlement, Verdict, settle};

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("the booking has no payment")]
    NotFound,
    #[error("nothing of this kind is open")]
    NothingOpen,
    /// The provider may give the money back at this moment.
    #[error("wait until the provider has answered")]
    ProviderIsAsked,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an operator says.
pub struct Settling {
    pub booking_id: BookingId,
    pub settlement: Settlement,
    /// The attempt that it is about; `None`: the one that is open.
    pub of: Option<AttemptId>,
    /// Whether the provider gives no definite answer about money that is to go back.
    pub is_unanswered: bool,
    pub act: PrivilegedAct,
}

impl PaymentJob for Settling {
    type Output = Payment;
    type Error = SettleError;

    fn booking_id(&self) -> BookingId {
        self.booking_id
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Payment, SettleError> {
        let payment = unit.payment(self.booking_id).ok_or(SettleError::NotFound)?.clone();
        let is_unanswered = self.is_unanswered && payment.asked_again == 0;
        let verdict = settle(&payment, self.settlement, self.of, is_unanswered);
        if !matches!(verdict, Verdict::Changed(..)) {
            return Err(SettleError::NothingOpen);
        }
        unit.apply(self.booking_id, verdict);
        unit.record_act(self.booking_id, &self.act);
        Ok(unit.payment(self.booking_id).unwrap_or(&payment).clone())
    }
}

/// Records it as the provider's own answer, so that the saga moves on by the usual fact, and returns the
/// payment as it is then. The act is recorded with it; one that is recorded is not done again, but that the
/// provider is to be asked again may be wanted several times.
pub async fn settle_attempt(
    payments: &dyn UnsettledPayments,
    settling: Settling,
) -> Result<Payment, SettleError> {
    let (booking, act) = (settling.booking_id, settling.act.clone());
    let is_known = !Bug::SettlementForgotten.is_planted();
    let is_once = settling.settlement != Settlement::AskAgain;
    if is_known && is_once && payments.is_recorded(&act).await? {
        return load(payments, booking).await;
    }
    match settle_now(payments, settling).await {
        Err(SettleError::NothingOpen) if is_known && payments.is_recorded(&act).await? => {
            load(payments, booking).await
        }
        settled => settled,
    }
}

async fn settle_now(
    payments: &dyn UnsettledPayments,
    mut settling: Settling,
) -> Result<Payment, SettleError> {
    if matches!(settling.settlement, Settlement::Refunded | Settlement::AskAgain) {
        let payment = load(payments, settling.booking_id).await?;
        let is_open = |is_unanswered| {
            let verdict = settle(&payment, settling.settlement, settling.of, is_unanswered);
            verdict != Verdict::Unchanged
        };
        if !is_open(true) {
            return Err(SettleError::NothingOpen);
        }
        // Who has seen it refused may not know that it was asked for again, and that it may be made by now.
        if payment.asked_again > 0 && !is_open(false) {
            return Err(SettleError::ProviderIsAsked);
        }
        // Else money could go back twice, here and by hand.
        let held = payments.hold(settling.booking_id).await?;
        settling.is_unanswered = held.ok_or(SettleError::ProviderIsAsked)?;
    }
    decide_one(payments, settling).await
}

async fn load(
    payments: &dyn UnsettledPayments,
    booking: BookingId,
) -> Result<Payment, SettleError> {
    let record = payments.load(&[booking]).await?.one()?;
    record.and_then(PaymentRecord::into_payment).ok_or(SettleError::NotFound)
}
