//! What operators see of a booking's hold.

use async_trait::async_trait;
use karcis_database::StoreError;
use karcis_kernel::{BookingId, EventId, TicketTypeId, Timestamp, UserId};
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::PgEvents;
use crate::application::{HeldItem, HoldStory, Holds};

#[derive(sqlx::FromRow)]
struct Row {
    event_id: Uuid,
    user_id: Option<Uuid>,
    state: String,
    reason: Option<String>,
    items: Option<Json<Vec<Item>>>,
    tickets: i64,
    used_tickets: i64,
    created_at: Timestamp,
    changed_at: Timestamp,
}

/// As column `reservation` keeps it.
#[derive(Deserialize)]
struct Item {
    ticket_type_id: TicketTypeId,
    name: String,
    quantity: u32,
}

#[async_trait]
impl Holds for PgEvents {
    async fn find(&self, booking: BookingId) -> Result<Option<HoldStory>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT event_id, user_id, state, reason, reservation -> 'items' AS items, created_at,
                 changed_at,
                 (SELECT count(*) FROM ticket WHERE ticket.booking_id = hold.booking_id) AS tickets,
                 (SELECT count(used_at) FROM ticket WHERE ticket.booking_id = hold.booking_id)
                     AS used_tickets
             FROM hold WHERE booking_id = $1",
        )
        .bind(booking.0)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.story(booking)))
    }
}

impl Row {
    fn story(self, booking_id: BookingId) -> HoldStory {
        let items = self.items.map(|Json(items)| items).unwrap_or_default().into_iter();
        let item =
            |Item { ticket_type_id, name, quantity }| HeldItem { ticket_type_id, name, quantity };
        HoldStory {
            booking_id,
            event_id: EventId(self.event_id),
            user_id: self.user_id.map(UserId),
            state: self.state,
            reason: self.reason,
            items: items.map(item).collect(),
            tickets: self.tickets,
            used_tickets: self.used_tickets,
            created_at: self.created_at,
            changed_at: self.changed_at,
        }
    }
}
