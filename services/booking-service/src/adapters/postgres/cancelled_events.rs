//! Table `cancelled_event`.

use async_trait::async_trait;
use karcis_database::StoreError;
use karcis_kernel::{BookingId, EventId, Timestamp};
use uuid::Uuid;

use super::{PgBookings, rows::seats};
use crate::application::{CancelledEvent, CancelledEvents};

#[async_trait]
impl CancelledEvents for PgBookings {
    async fn record(&self, events: &[EventId], at: Timestamp) -> Result<(), StoreError> {
        let events: Vec<Uuid> = events.iter().map(|event| event.0).collect();
        let mut transaction = self.pool.begin_batch().await?;
        sqlx::query(
            "INSERT INTO cancelled_event (event_id, announced_at, open)
             SELECT DISTINCT event_id, $2, true FROM UNNEST($1::uuid[]) AS new (event_id)
             ORDER BY event_id
             ON CONFLICT (event_id)
             DO UPDATE SET announced_at = EXCLUDED.announced_at, open = true",
        )
        .bind(events)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn next(&self, skipped: &[EventId]) -> Result<Option<CancelledEvent>, StoreError> {
        let row: Option<(Uuid, Timestamp)> = sqlx::query_as(
            "SELECT event_id, announced_at FROM cancelled_event
             WHERE open AND event_id <> ALL($1) ORDER BY announced_at LIMIT 1",
        )
        .bind(skipped.iter().map(|event| event.0).collect::<Vec<_>>())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(event_id, announced_at)| CancelledEvent {
            event_id: EventId(event_id),
            announced_at,
        }))
    }

    async fn bookings_of(
        &self,
        event: EventId,
        skipped: &[BookingId],
        limit: u16,
        seats: usize,
    ) -> Result<Vec<BookingId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(concat!(
            "SELECT id FROM (
                 SELECT id, seats, sum(seats) OVER (ORDER BY id) AS seats_so_far FROM (
                     SELECT id, ",
            seats!(),
            " AS seats FROM booking
                     WHERE event_id = $1
                       AND stage IN
                           ('reserving', 'awaiting', 'cancelling', 'confirming', 'confirmed')
                       AND (stage <> 'cancelling' OR reason <> 'event_cancelled')
                       AND id <> ALL($2)
                     LIMIT $3
                 ) AS found
             ) AS counted WHERE seats_so_far <= $4 OR seats_so_far = seats"
        ))
        .bind(event.0)
        .bind(skipped.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(i64::from(limit))
        .bind(i64::try_from(seats).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(BookingId).collect())
    }

    async fn done(&self, event: CancelledEvent) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE cancelled_event SET open = false WHERE event_id = $1 AND announced_at = $2",
        )
        .bind(event.event_id.0)
        .bind(event.announced_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
