//! Takes booking-service's commands, a batch at a time.

use karcis_kernel::{BookingId, PaymentId};

use super::{
    draft::{Job, decide},
    ports::{Payments, StoreError},
};
use crate::domain::{Command, Verdict, take};

/// A command as it came.
pub struct ArrivedCommand {
    /// The command.
    pub command: Command,
    /// The id of the payment, should the command open one.
    pub fresh: PaymentId,
}

impl Job for ArrivedCommand {
    fn booking_id(&self) -> BookingId {
        self.command.booking_id()
    }
}

/// Does what the commands say, in their order, and tells what becomes of it. Returns the bookings
/// of commands that must not have been sent, such as a refund of money that never came.
pub async fn take_commands(
    payments: &dyn Payments,
    batch: &[ArrivedCommand],
) -> Result<Vec<BookingId>, StoreError> {
    let alerts = decide(payments, batch, |draft, arrived| {
        let booking = arrived.booking_id();
        let verdict = take(draft.entry(booking), &arrived.command, arrived.fresh);
        let alert = matches!(verdict, Verdict::Alert).then_some(booking);
        draft.apply(booking, verdict);
        alert
    });
    Ok(alerts.await?.into_iter().flatten().collect())
}
