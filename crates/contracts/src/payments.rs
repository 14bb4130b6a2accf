//! payment → booking and anyone: what became of a booking's payment.

use karcis_kernel::{BookingId, Money, PaymentId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// It can be paid now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentRequested {
    /// The booking.
    pub booking_id: BookingId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// How much is asked.
    pub amount: Money,
}

/// All of it is captured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentSucceeded {
    /// The booking.
    pub booking_id: BookingId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// What was captured.
    pub captured: Money,
}

/// It was declined for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentFailed {
    /// The booking.
    pub booking_id: BookingId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// The provider's word for why, such as `stolen_card`.
    pub decline_code: String,
}

/// Nothing was taken, nor will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentCancelled {
    /// The booking.
    pub booking_id: BookingId,
    /// Its payment.
    pub payment_id: PaymentId,
}

/// All captured money went back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentRefunded {
    /// The booking.
    pub booking_id: BookingId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// What went back.
    pub refunded: Money,
}

/// The provider refuses the refund; an operator has to settle it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefundRefused {
    /// The booking.
    pub booking_id: BookingId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// The provider's word for why.
    pub reason: String,
}

/// Money that came too late or twice went back; the saga has moved on without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentReturned {
    /// The booking.
    pub booking_id: BookingId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// What went back.
    pub returned: Money,
}
