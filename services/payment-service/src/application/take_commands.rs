//! Takes booking-service's commands, a batch at a time.

use karcis_database::StoreError;
use karcis_kernel::{BookingId, PaymentId};

use super::{
    ports::Payments,
    unit_of_work::{PaymentJob, UnitOfWork, decide},
};
use crate::domain::{Command, Verdict, take};

/// A command as it came.
pub struct ArrivedCommand {
    pub command: Command,
    /// The id of the payment that the command may open.
    pub new_id: PaymentId,
}

impl PaymentJob for ArrivedCommand {
    /// The booking, if the command must not have been sent.
    type Output = Option<BookingId>;
    type Error = StoreError;

    fn booking_id(&self) -> BookingId {
        self.command.booking_id()
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Option<BookingId>, StoreError> {
        let booking = self.booking_id();
        let verdict = take(unit.record(booking), &self.command, self.new_id);
        let alert = matches!(verdict, Verdict::Alert).then_some(booking);
        unit.apply(booking, verdict);
        Ok(alert)
    }
}

/// What became of a batch.
#[derive(Default)]
pub struct Taken {
    /// The bookings of commands that must not have been sent, such as a refund of money that never came.
    pub alerts: Vec<BookingId>,
    /// The indexes of the commands that are not carried out, as others have their payments locked: all
    /// commands of these payments.
    pub open: Vec<usize>,
}

/// Does what the commands say, in their order, and publishes what becomes of it; those of locked payments
/// are left out.
pub async fn take_commands(
    payments: &dyn Payments,
    batch: &[ArrivedCommand],
) -> Result<Taken, StoreError> {
    let mut taken = Taken::default();
    for (index, alert) in decide(payments, batch).await?.into_iter().enumerate() {
        match alert {
            Some(alert) => taken.alerts.extend(alert),
            None => taken.open.push(index),
        }
    }
    Ok(taken)
}
