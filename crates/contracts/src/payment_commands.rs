//! booking → payment: request, cancel and refund a booking's payment.

use karcis_kernel::{BookingId, Money, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Open the payment. Answered by `PaymentRequested`, later by its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestPayment {
    /// The booking, which identifies the payment.
    pub booking_id: BookingId,
    /// Who pays.
    pub user_id: UserId,
    /// How much.
    pub amount: Money,
    /// When booking-service will cancel the payment if it is still open; shown to the buyer.
    #[schema(value_type = String, format = DateTime)]
    pub pay_by: Timestamp,
}

/// Take no money any more. Answered by how the payment ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CancelPayment {
    /// The booking.
    pub booking_id: BookingId,
}

/// Give all captured money back. Answered by `PaymentRefunded` or `RefundRefused`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefundPayment {
    /// The booking.
    pub booking_id: BookingId,
}
