//! An operator cancels a booking as its buyer would, whatever the refund window.

use karcis_database::PrivilegedAct;
use karcis_kernel::BookingId;

use super::{
    Bookings,
    apply_by_operator::{OperatorError, apply_by_operator},
};
use crate::domain::{Booking, DecisionContext, Input};

/// Cancels the booking and returns it as it is then, with whether this changed anything. One that is
/// being cancelled already is returned unchanged.
pub async fn cancel_by_operator(
    bookings: &dyn Bookings,
    context: DecisionContext,
    id: BookingId,
    act: PrivilegedAct,
) -> Result<(Booking, bool), OperatorError> {
    apply_by_operator(bookings, context, Input::CancelByOperator, id, act).await
}
