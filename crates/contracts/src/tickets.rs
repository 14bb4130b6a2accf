//! event → booking and anyone: what became of a booking's seats.

use karcis_kernel::{BookingId, EventId, Money, TicketTypeId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Ticket;

/// The seats are held. Snapshots what the buyer sees, which later price changes leave alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketsReserved {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The event as it was.
    pub event: EventSnapshot,
    /// The held tickets with their prices.
    pub items: Vec<ReservedItem>,
    /// What they cost together.
    pub total: Money,
    /// Until when a paid booking may be cancelled for its money.
    #[schema(value_type = String, format = DateTime)]
    pub refundable_until: Timestamp,
    /// When the first of the held tickets is no longer on sale: nobody pays later. Absent from older
    /// releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub sales_end: Option<Timestamp>,
}

/// What a buyer sees of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventSnapshot {
    /// Its title.
    pub title: String,
    /// Where it takes place.
    pub venue: String,
    /// When it starts.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// The venue's IANA time zone.
    pub time_zone: String,
    /// The version of the event that this is; absent from older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub version: Option<i64>,
}

/// Held tickets of one type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservedItem {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// Its name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
}

/// No seat is held, nor will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketsRejected {
    /// The booking.
    pub booking_id: BookingId,
    /// The event asked for.
    pub event_id: EventId,
    /// Why.
    pub reason: RejectReason,
}

/// Why no seat is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// Too few free seats.
    SoldOut,
    /// Outside the sales window, or the ticket type is closed.
    SalesClosed,
    /// No such published event, or no such ticket type of it.
    EventNotFound,
    /// The event is cancelled.
    EventCancelled,
    /// The total is not the expected one.
    PriceChanged,
    /// More than one booking may hold.
    OverLimit,
    /// The buyer has too many unpaid holds for this event.
    TooManyHolds,
}

/// The seats are sold. The tickets with their codes are told to booking-service alone, by
/// TicketsIssued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketsConfirmed {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The tickets, as older releases tell them; absent since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tickets: Option<Vec<Ticket>>,
}

/// There is no hold to sell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmRefused {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
}

/// The seats are free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketsReleased {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
}
