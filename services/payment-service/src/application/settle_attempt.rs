//! An operator records what the provider says of what it left open.

use karcis_database::{PrivilegedAct, StoreError};
use karcis_kernel::BookingId;

use super::{
    ports::Payments,
    unit_of_work::{PaymentJob, UnitOfWork, decide_one},
};
use crate::domain::{Payment, Settlement, Verdict, settle};

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("the booking has no payment")]
    NotFound,
    #[error("nothing of this kind is open")]
    NothingOpen,
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Settling {
    booking_id: BookingId,
    settlement: Settlement,
    act: PrivilegedAct,
}

impl PaymentJob for Settling {
    type Output = Payment;
    type Error = SettleError;

    fn booking_id(&self) -> BookingId {
        self.booking_id
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Payment, SettleError> {
        let payment = unit.payment(self.booking_id).ok_or(SettleError::NotFound)?.clone();
        let verdict = settle(&payment, self.settlement);
        if !matches!(verdict, Verdict::Changed(..)) {
            return Err(SettleError::NothingOpen);
        }
        unit.apply(self.booking_id, verdict);
        unit.record_act(self.booking_id, &self.act);
        Ok(unit.payment(self.booking_id).unwrap_or(&payment).clone())
    }
}

/// Records it as the provider's own answer, so that the saga moves on by the usual fact, and returns the
/// payment as it is then. The act is recorded with it.
pub async fn settle_attempt(
    payments: &dyn Payments,
    booking_id: BookingId,
    settlement: Settlement,
    act: PrivilegedAct,
) -> Result<Payment, SettleError> {
    decide_one(payments, Settling { booking_id, settlement, act }).await
}
