//! An operator has the pending commands of a booking sent again now.

use karcis_database::PrivilegedAct;
use karcis_kernel::BookingId;

use super::{
    Bookings,
    apply_by_operator::{OperatorError, apply_by_operator},
};
use crate::domain::{Booking, DecisionContext, Input};

/// Sends them again and returns the booking as it is then, with whether there were any.
pub async fn resume_saga(
    bookings: &dyn Bookings,
    context: DecisionContext,
    id: BookingId,
    act: PrivilegedAct,
) -> Result<(Booking, bool), OperatorError> {
    apply_by_operator(bookings, context, Input::Resume, id, act).await
}
