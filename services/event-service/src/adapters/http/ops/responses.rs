//! Holds as operators see them.

use karcis_http::one_of;
use karcis_kernel::{BookingId, EventId, TicketTypeId, Timestamp, UserId};
use serde::Serialize;
use utoipa::{ToSchema, openapi::Object};

use crate::application::{HeldItem, HoldStory};

/// What an event keeps for a booking.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
pub(super) struct HoldResponse {
    booking_id: BookingId,
    event_id: EventId,
    /// Null if it was released before anything was reserved.
    user_id: Option<UserId>,
    #[schema(schema_with = states)]
    state: String,
    /// Why it is rejected.
    #[schema(examples("sold_out"))]
    reason: Option<String>,
    items: Vec<HeldItemResponse>,
    /// How many tickets were ever made for it.
    tickets: i64,
    used_tickets: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// Seats of one ticket type.
#[derive(Serialize, ToSchema)]
#[schema(as = HeldItem)]
struct HeldItemResponse {
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: String,
    quantity: u32,
}

fn states() -> Object {
    one_of(["held", "sold", "released", "rejected"])
}

impl From<HoldStory> for HoldResponse {
    fn from(story: HoldStory) -> Self {
        let item = |HeldItem { ticket_type_id, name, quantity }| HeldItemResponse {
            ticket_type_id,
            name,
            quantity,
        };
        Self {
            booking_id: story.booking_id,
            event_id: story.event_id,
            user_id: story.user_id,
            state: story.state,
            reason: story.reason,
            items: story.items.into_iter().map(item).collect(),
            tickets: story.tickets,
            used_tickets: story.used_tickets,
            created_at: story.created_at,
            changed_at: story.changed_at,
        }
    }
}
