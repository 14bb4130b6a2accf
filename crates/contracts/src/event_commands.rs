//! booking → event: reserve, confirm and release tickets. Keyed by event, so that one consumer
//! owns an event's stock.

use karcis_kernel::{BookingId, EventId, Money, TicketTypeId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Hold these seats, all or none. Answered by `TicketsReserved` or `TicketsRejected`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReserveTickets {
    /// The booking, which identifies the hold.
    pub booking_id: BookingId,
    /// The event.
    pub event_id: EventId,
    /// Who books; a buyer may have only so many unpaid holds.
    pub user_id: UserId,
    /// What is asked for; each ticket type once.
    pub items: Vec<Item>,
    /// The total the buyer saw; another one is rejected as `price_changed`.
    pub expected_total: Option<Money>,
}

/// Some tickets of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// The type.
    pub ticket_type_id: TicketTypeId,
    /// How many, at least 1.
    pub quantity: u32,
}

/// Sell the held seats. Answered by `TicketsConfirmed` or `ConfirmRefused`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmTickets {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
}

/// Give the seats back, whatever their state. Answered by `TicketsReleased`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseTickets {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
}
