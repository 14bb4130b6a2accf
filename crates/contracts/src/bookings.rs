//! booking → user and anyone: a booking is created, confirmed, rejected or cancelled.

use karcis_kernel::{BookingId, EventId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A buyer asked for tickets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BookingCreated {
    /// The booking.
    pub booking_id: BookingId,
    /// Its buyer.
    pub user_id: UserId,
    /// Its event.
    pub event_id: EventId,
}

/// The buyer has the tickets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BookingConfirmed {
    /// The booking.
    pub booking_id: BookingId,
    /// Its buyer.
    pub user_id: UserId,
    /// Its event.
    pub event_id: EventId,
}

/// The buyer gets no tickets and paid nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BookingRejected {
    /// The booking.
    pub booking_id: BookingId,
    /// Its buyer.
    pub user_id: UserId,
    /// Its event.
    pub event_id: EventId,
    /// Why, in the words of the HTTP contract, such as `sold_out`.
    pub reason: String,
}

/// It is undone: seats free, money back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BookingCancelled {
    /// The booking.
    pub booking_id: BookingId,
    /// Its buyer.
    pub user_id: UserId,
    /// Its event.
    pub event_id: EventId,
    /// Why, in the words of the HTTP contract, such as `payment_expired`.
    pub reason: String,
}
