//! Table `event`: what is true of each event now, and whose holders are still to be told.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use karcis_database::StoreError;
use karcis_kernel::{BookingId, EventId, Timestamp};
use uuid::Uuid;

use super::{
    PgBookings, cancelled_events,
    rows::{Events as Columns, bookings_within, seats},
};
use crate::application::{EventEdit, Events, OpenEvent, OpenEvents};

#[async_trait]
impl Events for PgBookings {
    async fn record_edits(&self, edits: &[EventEdit], at: Timestamp) -> Result<(), StoreError> {
        let mut columns = Columns::default();
        for edit in edits {
            columns.push(edit);
        }
        let mut transaction = self.pool.begin_batch().await?;
        // Holders of a first version know it. Of a cancelled event they hear that, and nothing else.
        sqlx::query(
            "INSERT INTO event AS known (event_id, version, title, venue, starts_at, time_zone,
                 refundable_until, shown_version, moved_at, open, organiser_id,
                 ends_at)
             SELECT event_id, version, title, venue, starts_at, time_zone,
                 refundable_until, version, $8, version > 1, organiser_id, ends_at
             FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[],
                 $6::text[], $7::timestamptz[], $9::uuid[], $10::timestamptz[])
                 AS new (event_id, version, title, venue, starts_at, time_zone, refundable_until,
                     organiser_id, ends_at)
             ORDER BY event_id
             ON CONFLICT (event_id) DO UPDATE SET
                 (version, title, venue, starts_at, time_zone, organiser_id, ends_at) = (
                     excluded.version, excluded.title, excluded.venue, excluded.starts_at,
                     excluded.time_zone, excluded.organiser_id, excluded.ends_at),
                 refundable_until = COALESCE(excluded.refundable_until, known.refundable_until),
                 (shown_version, moved_at, open) = (
                     SELECT CASE WHEN moved THEN excluded.version ELSE known.shown_version END,
                         CASE WHEN moved THEN excluded.moved_at ELSE known.moved_at END,
                         known.cancel_reason IS NULL AND (moved OR known.open)
                     FROM (VALUES ((known.title, known.venue, known.starts_at, known.time_zone)
                         IS DISTINCT FROM (excluded.title, excluded.venue, excluded.starts_at,
                             excluded.time_zone))) AS it (moved))
             WHERE known.version < excluded.version",
        )
        .bind(columns.event_id)
        .bind(columns.version)
        .bind(columns.title)
        .bind(columns.venue)
        .bind(columns.starts_at)
        .bind(columns.time_zone)
        .bind(columns.refundable_until)
        .bind(at)
        .bind(columns.organiser_id)
        .bind(columns.ends_at)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn record_cancelled(
        &self,
        events: &[(EventId, String)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (ids, reasons): (Vec<Uuid>, Vec<&str>) =
            events.iter().map(|(event, reason)| (event.0, reason.as_str())).unzip();
        let mut transaction = self.pool.begin_batch().await?;
        // It is announced again and again: what is known is not written again.
        sqlx::query(
            "INSERT INTO event AS known (event_id, version, shown_version, cancel_reason, moved_at,
                 open)
             SELECT event_id, 0, 0, reason, $3, false
             FROM UNNEST($1::uuid[], $2::text[]) AS new (event_id, reason)
             WHERE NOT EXISTS (SELECT FROM event
                 WHERE event.event_id = new.event_id AND event.cancel_reason IS NOT NULL)
             ORDER BY event_id
             ON CONFLICT (event_id) DO UPDATE SET cancel_reason = excluded.cancel_reason, open = false
             WHERE known.cancel_reason IS NULL",
        )
        .bind(&ids)
        .bind(reasons)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        cancelled_events::record(&mut transaction, ids, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn forget(&self, events: &[EventId]) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = events.iter().map(|event| event.0).collect();
        let mut transaction = self.pool.begin_batch().await?;
        sqlx::query(
            "DELETE FROM event WHERE event_id = ANY (ARRAY(
                 SELECT event_id FROM event WHERE event_id = ANY($1) ORDER BY event_id FOR UPDATE))",
        )
        .bind(ids)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

/// The events whose holders are still to be told how they look.
pub(crate) struct MovedEvents {
    bookings: Arc<PgBookings>,
    /// The last booking that was found, of which event: who was told stays among the event's bookings.
    found: Mutex<Option<(EventId, BookingId)>>,
}

impl MovedEvents {
    pub(crate) fn new(bookings: Arc<PgBookings>) -> Self {
        Self { bookings, found: Mutex::default() }
    }

    /// Of bookings, those after this one.
    async fn untold(
        &self,
        event: EventId,
        after: Option<BookingId>,
        skipped: &[BookingId],
        limit: u16,
        seats: usize,
    ) -> Result<Vec<BookingId>, StoreError> {
        let untold = bookings_within!(
            "stage IN ('awaiting', 'confirming', 'confirmed')
             AND event_version < (SELECT shown_version FROM event WHERE event_id = $1)"
        );
        self.bookings.bookings_within(untold, event, after, skipped, limit, seats).await
    }
}

#[async_trait]
impl OpenEvents for MovedEvents {
    async fn next(&self, skipped: &[EventId]) -> Result<Option<OpenEvent>, StoreError> {
        const NEXT: &str = "SELECT event_id, moved_at FROM event
            WHERE open AND event_id <> ALL($1) ORDER BY moved_at LIMIT 1";
        self.bookings.open_event(NEXT, skipped).await
    }

    async fn bookings_of(
        &self,
        event: EventId,
        skipped: &[BookingId],
        limit: u16,
        seats: usize,
    ) -> Result<Vec<BookingId>, StoreError> {
        let last = *self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let after = last.filter(|(of, _)| *of == event).map(|(_, booking)| booking);
        let mut found = self.untold(event, after, skipped, limit, seats).await?;
        // Those before it may have changed, or were skipped.
        if found.is_empty() && after.is_some() {
            found = self.untold(event, None, skipped, limit, seats).await?;
        }
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) =
            found.iter().max().map(|booking| (event, *booking));
        Ok(found)
    }

    /// One that is being reserved, or cancelled at its deadline, may get its seats as they were before. One
    /// that is rejected is told once it can be read.
    async fn is_awaited(
        &self,
        event: EventId,
        _rejected: &[BookingId],
    ) -> Result<bool, StoreError> {
        let awaited = sqlx::query(
            "SELECT FROM booking WHERE event_id = $1 AND NOT gone
                 AND stage IN ('reserving', 'awaiting', 'cancelling', 'confirming', 'confirmed')
                 AND (stage <> 'cancelling' OR reason = 'payment_expired')
                 AND event_version < (SELECT shown_version FROM event WHERE event_id = $1) LIMIT 1",
        );
        Ok(awaited.bind(event.0).fetch_optional(&self.bookings.pool).await?.is_some())
    }

    async fn done(&self, event: OpenEvent) -> Result<(), StoreError> {
        const CLOSE: &str = "UPDATE event SET open = false WHERE event_id = $1 AND moved_at = $2";
        self.bookings.close_event(CLOSE, event).await
    }
}
