//! Bookings in Postgres: many rows a statement, many changes a transaction.

mod cancelled_events;
mod columns;
mod queries;
mod row;
mod turns;
mod write;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_database::{BatchLimits, Batcher};
use karcis_http::{Live, Versions};
use karcis_kernel::{BookingId, Timestamp, UserId};
use karcis_messaging::Outbox;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    application::{Alarms, Bookings, Change, Creation, RequestKey, Ringing, StoreError},
    domain::Booking,
};
use row::{BookingRow, select_bookings};
use write::{Outcome, Prepared, Writer};

/// Of HTTP requests.
const LIMITS: BatchLimits = BatchLimits { capacity: 4_096, group: 256 };

/// The bookings of this service's schema.
pub struct PgBookings {
    pool: PgPool,
    writer: Arc<Writer>,
    /// Single changes, of requests that come at the same time, share transactions here.
    writes: Batcher<Prepared, Outcome>,
    /// And single reads share statements.
    reads: Batcher<BookingId, Option<Booking>>,
}

impl PgBookings {
    /// `resend_after` is when a command is sent again for the first time; the further resends
    /// stretch in proportion. Every commit wakes the outbox and `live`.
    pub fn new(pool: PgPool, outbox: Outbox, live: Live, resend_after: Duration) -> Self {
        let writer = Arc::new(Writer::new(pool.clone(), outbox, live, resend_after));
        let shared = writer.clone();
        let writes = Batcher::start(LIMITS, move |group: Vec<Prepared>| {
            let writer = shared.clone();
            async move { Ok(writer.write(&group).await?) }
        });
        let shared = pool.clone();
        let reads = Batcher::start(LIMITS, move |ids| {
            let pool = shared.clone();
            async move { read_group(&pool, ids).await }
        });
        Self { pool, writer, writes, reads }
    }

    async fn write_one(&self, change: Prepared) -> Result<Outcome, StoreError> {
        self.writes.submit(change).await
    }

    async fn read_one(&self, id: BookingId) -> Result<Option<Booking>, StoreError> {
        self.reads.submit(id).await
    }
}

async fn read(pool: &PgPool, ids: &[BookingId]) -> Result<Vec<Booking>, StoreError> {
    let rows = select_bookings!("WHERE id = ANY($1)").bind(uuids(ids)).fetch_all(pool).await;
    let bookings = rows.map_err(store_error)?.into_iter().map(BookingRow::booking);
    bookings.collect::<Result<_, _>>().map_err(store_error)
}

async fn read_group(
    pool: &PgPool,
    ids: Vec<BookingId>,
) -> Result<Vec<Option<Booking>>, StoreError> {
    let found = read(pool, &ids).await?.into_iter();
    let found: HashMap<BookingId, Booking> =
        found.map(|booking| (booking.order.id, booking)).collect();
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

fn store_error(error: sqlx::Error) -> StoreError {
    error.into()
}

fn uuids(ids: &[BookingId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

#[async_trait]
impl Bookings for PgBookings {
    async fn load(&self, ids: &[BookingId]) -> Result<Vec<Booking>, StoreError> {
        read(&self.pool, ids).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<BookingId>, StoreError> {
        let ids: Vec<BookingId> = changes.iter().map(|change| change.after.order.id).collect();
        let mut prepared: Vec<Prepared> = changes.into_iter().map(Prepared::new).collect();
        let outcomes = match prepared.pop() {
            Some(only) if prepared.is_empty() => vec![self.write_one(only).await?],
            last => {
                prepared.extend(last);
                self.writer.write(&prepared).await.map_err(store_error)?
            }
        };
        let conflicts = ids.into_iter().zip(outcomes);
        Ok(conflicts
            .filter(|(_, outcome)| *outcome == Outcome::Conflict)
            .map(|(id, _)| id)
            .collect())
    }

    async fn create(
        &self,
        change: Change,
        key: Option<RequestKey>,
    ) -> Result<Creation, StoreError> {
        let prepared = Prepared { key, ..Prepared::new(change) };
        match self.write_one(prepared).await? {
            Outcome::Written => Ok(Creation::Placed),
            Outcome::Known { booking_id, fingerprint } => {
                Ok(Creation::Known { booking_id, fingerprint })
            }
            // Its key was being purged at this moment.
            Outcome::Conflict => Err(StoreError::unavailable("try the key again")),
        }
    }

    async fn unconfirmed_of(
        &self,
        buyer: UserId,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<BookingId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM booking
             WHERE user_id = $1 AND id > $2
               AND stage IN ('reserving', 'awaiting', 'cancelling', 'confirming')
             ORDER BY id LIMIT $3",
        )
        .bind(buyer.0)
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(store_error)?;
        Ok(ids.into_iter().map(BookingId).collect())
    }
}

#[async_trait]
impl Alarms for PgBookings {
    async fn ringing(&self, at: Timestamp, limit: u16) -> Result<Vec<Ringing>, StoreError> {
        let rows: Vec<(Uuid, bool)> = sqlx::query_as(
            "SELECT id, COALESCE(due_at <= $1, false) FROM booking
             WHERE LEAST(due_at, wake_at) <= $1 AND wake_at IS NOT NULL
             ORDER BY LEAST(due_at, wake_at) LIMIT $2
             FOR NO KEY UPDATE SKIP LOCKED",
        )
        .bind(at)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(store_error)?;
        let alarm = |(id, is_due)| Ringing { booking_id: BookingId(id), is_due };
        Ok(rows.into_iter().map(alarm).collect())
    }
}

#[async_trait]
impl Versions for PgBookings {
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String> {
        let rows: Vec<(Uuid, i64)> =
            sqlx::query_as("SELECT id, version FROM booking WHERE id = ANY($1)")
                .bind(ids)
                .fetch_all(&self.pool)
                .await
                .map_err(|error| error.to_string())?;
        Ok(rows.into_iter().collect())
    }
}
