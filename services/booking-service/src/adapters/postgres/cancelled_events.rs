//! Table `cancelled_event`.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_database::{Connection, StoreError};
use karcis_kernel::{BookingId, EventId, Timestamp};
use uuid::Uuid;

use super::{
    PgBookings,
    rows::{bookings_within, seats},
};
use crate::application::{OpenEvent, OpenEvents};

/// Records that the bookings of these events have to be cancelled.
pub(super) async fn record(
    connection: &mut Connection,
    events: Vec<Uuid>,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cancelled_event (event_id, announced_at, open)
         SELECT event_id, $2, true FROM UNNEST($1::uuid[]) AS new (event_id)
         ORDER BY event_id
         ON CONFLICT (event_id)
         DO UPDATE SET announced_at = EXCLUDED.announced_at, open = true",
    )
    .bind(events)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The cancelled events that may still have bookings to cancel.
pub(crate) struct CancelledEvents(pub(crate) Arc<PgBookings>);

#[async_trait]
impl OpenEvents for CancelledEvents {
    async fn next(&self, skipped: &[EventId]) -> Result<Option<OpenEvent>, StoreError> {
        const NEXT: &str = "SELECT event_id, announced_at FROM cancelled_event
            WHERE open AND event_id <> ALL($1) ORDER BY announced_at LIMIT 1";
        self.0.open_event(NEXT, skipped).await
    }

    async fn bookings_of(
        &self,
        event: EventId,
        skipped: &[BookingId],
        limit: u16,
        seats: usize,
    ) -> Result<Vec<BookingId>, StoreError> {
        let found = bookings_within!(
            "stage IN ('reserving', 'awaiting', 'cancelling', 'confirming', 'confirmed')
             AND (stage <> 'cancelling' OR reason <> 'event_cancelled')"
        );
        self.0.bookings_within(found, event, None, skipped, limit, seats).await
    }

    /// One that was rejected is found when the event is announced again.
    async fn is_awaited(&self, event: EventId, rejected: &[BookingId]) -> Result<bool, StoreError> {
        Ok(!self.bookings_of(event, rejected, 1, 1).await?.is_empty())
    }

    async fn done(&self, event: OpenEvent) -> Result<(), StoreError> {
        const CLOSE: &str = "UPDATE cancelled_event SET open = false
            WHERE event_id = $1 AND announced_at = $2";
        self.0.close_event(CLOSE, event).await
    }
}
