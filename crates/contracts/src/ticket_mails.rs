//! booking → user: tickets that their buyer is to get by e-mail.

use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Booked, Ticket};

/// The buyer is to get the tickets: as the booking is confirmed, and when the buyer asks for them again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketMailRequested {
    /// The booking.
    pub booking_id: BookingId,
    /// Its buyer.
    pub user_id: UserId,
    /// Its event.
    pub event_id: EventId,
    /// What the buyer has.
    pub booked: Booked,
    /// When the event ends, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub ends_at: Option<Timestamp>,
    /// Rises with each change of the booking's entry in a calendar.
    pub sequence: i64,
    /// The tickets, one a seat.
    pub tickets: Vec<Ticket>,
    /// When the buyer asked for them again; absent as the booking is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    pub asked_at: Option<Timestamp>,
}
