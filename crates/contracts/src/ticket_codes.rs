//! event → booking: the codes of sold tickets.

use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The seats are sold: one ticket a seat. Told together with TicketsConfirmed, and as often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TicketsIssued {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The tickets, the same in every repetition.
    pub tickets: Vec<Ticket>,
}

/// One seat's ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    /// The code that opens the door.
    pub code: TicketCode,
    /// What it is for.
    pub ticket_type_id: TicketTypeId,
    /// The type's name.
    pub name: String,
}
