//! booking → user and anyone: the turns in a booking's life that its buyer is told of.

use karcis_kernel::{BookingId, EventId, Money, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EventSnapshot, ReservedItem};

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

/// The seats are held and wait for their payment. A free booking never waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BookingReserved {
    /// The booking.
    pub booking_id: BookingId,
    /// Its buyer.
    pub user_id: UserId,
    /// Its event.
    pub event_id: EventId,
    /// What is held.
    pub booked: Booked,
    /// Until when it has to be paid.
    #[schema(value_type = String, format = DateTime)]
    pub pay_by: Timestamp,
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
    /// What the buyer has; absent from older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub booked: Option<Booked>,
    /// Whether TicketMailRequested, which is told with it, notifies the buyer; absent from older releases.
    #[serde(default)]
    pub tickets_are_mailed: bool,
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
    /// The event, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event: Option<EventSnapshot>,
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
    /// What the buyer had; absent if no seats were held yet, and from older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub booked: Option<Booked>,
    /// The money that went back, if any was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refunded: Option<Money>,
    /// Why the event does not take place, in its organiser's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event_cancel_reason: Option<String>,
}

/// The event takes place at another time or place, or under another title, than its buyer knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BookingEventChanged {
    /// The booking.
    pub booking_id: BookingId,
    /// Its buyer.
    pub user_id: UserId,
    /// Its event.
    pub event_id: EventId,
    /// What the buyer has, with the event as it is now.
    pub booked: Booked,
    /// The event as it was when the seats were held.
    pub agreed: EventSnapshot,
    /// Until when the booking may be cancelled for its money.
    #[schema(value_type = String, format = DateTime)]
    pub refundable_until: Timestamp,
}

/// What a buyer has booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Booked {
    /// The event as it is now.
    pub event: EventSnapshot,
    /// The tickets with their prices.
    pub items: Vec<ReservedItem>,
    /// What they cost together.
    pub total: Money,
}
