//! An operator has the provider asked, as a webhook does.

use karcis_database::{PrivilegedAct, StoreError};
use karcis_kernel::BookingId;

use super::{
    ports::Payments,
    unit_of_work::{PaymentJob, UnitOfWork, decide_one},
};
use crate::domain::{Payment, PaymentRecord};

/// Why nobody is asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("the booking has no payment")]
    NotFound,
    #[error("the provider was never asked for money")]
    NothingTried,
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Asking {
    booking_id: BookingId,
    act: PrivilegedAct,
}

impl PaymentJob for Asking {
    type Output = Payment;
    type Error = AskError;

    fn booking_id(&self) -> BookingId {
        self.booking_id
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Payment, AskError> {
        let record = unit.record(self.booking_id).ok_or(AskError::NotFound)?;
        let tried = record.payment().filter(|payment| !payment.attempts.is_empty());
        let asked = tried.ok_or(AskError::NothingTried)?.next_version();
        unit.change(PaymentRecord::Payment(asked.clone()), None);
        unit.record_act(self.booking_id, &self.act);
        Ok(asked)
    }
}

/// Has the provider asked at once what came of each of the payment's attempts, also if it has ended. Returns the
/// payment, of which only the version is another. The act is recorded with it.
pub async fn ask_again(
    payments: &dyn Payments,
    booking_id: BookingId,
    act: PrivilegedAct,
) -> Result<Payment, AskError> {
    decide_one(payments, Asking { booking_id, act }).await
}
