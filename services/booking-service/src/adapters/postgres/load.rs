//! Bookings as they are loaded: by id, by timer, of an erased buyer.

use async_trait::async_trait;
use karcis_database::{Loaded, StoreError};
use karcis_kernel::{BookingId, Timestamp, UserId};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    PgBookings,
    rows::{read_bookings, select_bookings},
};
use crate::{
    application::{DueTimer, Timers, UnconfirmedBookings},
    domain::Booking,
};

/// The bookings with these ids; unknown ids are left out.
pub(super) async fn load(pool: &PgPool, ids: &[BookingId]) -> Result<Loaded<Booking>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = select_bookings!("WHERE id = ANY($1)").bind(ids).fetch_all(pool).await?;
    Ok(read_bookings(&rows))
}

#[async_trait]
impl UnconfirmedBookings for PgBookings {
    async fn unconfirmed_of(
        &self,
        buyer: UserId,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<BookingId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM booking
             WHERE user_id = $1 AND id > $2
               AND (stage IN ('reserving', 'awaiting', 'confirming')
                 OR stage = 'cancelling' AND reason = 'payment_expired')
             ORDER BY id LIMIT $3",
        )
        .bind(buyer.0)
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(BookingId).collect())
    }
}

#[async_trait]
impl Timers for PgBookings {
    async fn due(
        &self,
        at: Timestamp,
        skipped: &[BookingId],
        limit: u16,
    ) -> Result<Vec<DueTimer>, StoreError> {
        let rows: Vec<(Uuid, bool)> = sqlx::query_as(
            "UPDATE booking SET claimed_until = now() + interval '5 s'
             WHERE id = ANY (ARRAY(
                 SELECT id FROM booking
                 WHERE LEAST(due_at, wake_at) <= $1 AND wake_at IS NOT NULL AND id <> ALL($2)
                     AND COALESCE(claimed_until <= now(), true)
                 ORDER BY LEAST(due_at, wake_at) LIMIT $3
                 FOR NO KEY UPDATE SKIP LOCKED))
             RETURNING id, COALESCE(due_at <= $1, false)",
        )
        .bind(at)
        .bind(skipped.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let timer = |(id, is_deadline)| DueTimer { booking_id: BookingId(id), is_deadline };
        Ok(rows.into_iter().map(timer).collect())
    }
}
