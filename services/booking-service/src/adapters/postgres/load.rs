//! Bookings as they are loaded: by id, by timer, of an open event, of an erased buyer.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_database::{Connection, Loaded, Pool, StoreError};
use karcis_kernel::{BookingId, Bug, EventId, Timestamp, UserId};
use karcis_process::crash_point;
use uuid::Uuid;

use super::{
    PgBookings,
    rows::{read_bookings, seats, select_bookings},
};
use crate::{
    application::{DueTimer, OpenEvent, Timers, UnconfirmedBookings},
    domain::Booking,
};

/// How long a due timer is left to the instance that claimed it.
const CLAIM_S: f64 = 5.0;

/// The bookings with these ids; unknown ids are left out.
pub(super) async fn load(pool: &Pool, ids: &[BookingId]) -> Result<Loaded<Booking>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = select_bookings!("WHERE id = ANY($1)").bind(ids).fetch_all(pool).await?;
    Ok(read_bookings(&rows))
}

impl PgBookings {
    /// How many tickets are loaded with each of these bookings; none if absent.
    pub(crate) async fn tickets_of(
        &self,
        ids: &[BookingId],
    ) -> Result<HashMap<BookingId, usize>, StoreError> {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(concat!(
            "SELECT id, ",
            seats!(),
            " FROM booking WHERE id = ANY($1) AND stage = 'confirmed'"
        ))
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let tickets = |tickets| usize::try_from(tickets).unwrap_or_default();
        Ok(rows.into_iter().map(|(id, its)| (BookingId(id), tickets(its))).collect())
    }

    /// The event that this statement finds, without those of `skipped`.
    pub(super) async fn open_event(
        &self,
        statement: &'static str,
        skipped: &[EventId],
    ) -> Result<Option<OpenEvent>, StoreError> {
        let row: Option<(Uuid, Timestamp)> = sqlx::query_as(statement)
            .bind(skipped.iter().map(|event| event.0).collect::<Vec<_>>())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|(event_id, since)| OpenEvent { event_id: EventId(event_id), since }))
    }

    /// Closes the event by this statement.
    pub(super) async fn close_event(
        &self,
        statement: &'static str,
        event: OpenEvent,
    ) -> Result<(), StoreError> {
        crash_point("event.applied");
        let close = sqlx::query(statement).bind(event.event_id.0).bind(event.since);
        close.execute(&self.pool).await?;
        Ok(())
    }

    /// The ids that a statement of [`bookings_within`](super::rows::bookings_within) finds.
    pub(super) async fn bookings_within(
        &self,
        statement: &'static str,
        event: EventId,
        after: Option<BookingId>,
        skipped: &[BookingId],
        limit: u16,
        seats: usize,
    ) -> Result<Vec<BookingId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(statement)
            .bind(event.0)
            .bind(skipped.iter().map(|id| id.0).collect::<Vec<_>>())
            .bind(i64::from(limit))
            .bind(i64::try_from(seats).unwrap_or(i64::MAX))
            .bind(after.map_or(Uuid::nil(), |id| id.0))
            .fetch_all(&self.pool)
            .await?;
        Ok(ids.into_iter().map(BookingId).collect())
    }
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
        let mut due = vec![];
        // Most timers are of bookings that have gone on meanwhile.
        while due.is_empty() {
            let mut transaction = self.pool.begin_batch().await?;
            let ids: Vec<Uuid> = sqlx::query_scalar(
                "SELECT booking_id FROM timer WHERE at <= $1 AND booking_id <> ALL($2)
                 ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED",
            )
            .bind(at)
            .bind(skipped.iter().map(|id| id.0).collect::<Vec<_>>())
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await?;
            if ids.is_empty() {
                break;
            }
            due = claim(&mut transaction, &ids, at).await?;
            transaction.commit().await?;
        }
        if !due.is_empty() {
            crash_point("timers.claimed");
        }
        Ok(due)
    }
}

/// Those of the locked timers whose bookings are due. These are due again when the claim ends, the others when
/// their bookings are, if ever. A statement of its own, which sees what was committed before the locks.
async fn claim(
    connection: &mut Connection,
    ids: &[Uuid],
    at: Timestamp,
) -> Result<Vec<DueTimer>, sqlx::Error> {
    let claim_s = if Bug::ClaimedForEver.is_planted() { 1e9 } else { CLAIM_S };
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(
        "WITH open AS (
             SELECT id, due_at, LEAST(due_at, wake_at) AS next_at FROM booking
             WHERE id = ANY($1) AND wake_at IS NOT NULL),
         moved AS (
             UPDATE timer SET at = CASE WHEN next_at > $2 THEN next_at
                 ELSE $2 + make_interval(secs => $3) END
             FROM open WHERE booking_id = id),
         ended AS (
             DELETE FROM timer
             WHERE booking_id = ANY($1) AND booking_id <> ALL (ARRAY(SELECT id FROM open)))
         SELECT id, COALESCE(due_at <= $2, false) FROM open WHERE next_at <= $2",
    )
    .bind(ids)
    .bind(at)
    .bind(claim_s)
    .fetch_all(connection)
    .await?;
    let timer = |(id, is_deadline)| DueTimer { booking_id: BookingId(id), is_deadline };
    Ok(rows.into_iter().map(timer).collect())
}
