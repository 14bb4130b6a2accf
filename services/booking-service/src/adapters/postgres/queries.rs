//! What is shown of bookings: lists, timelines, versions for live answers, and what operators see.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_database::StoreError;
use karcis_http::Versions;
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::{
    PgBookings, booking_names,
    rows::{read_bookings, select_bookings},
};
use crate::{
    application::{
        BookingQueries, NamedBookings, SagaFilter, SagaQueries, SetAside, TimelineEntry,
    },
    domain::{Booking, Status},
};

#[derive(FromRow)]
struct LogRow {
    seq: i64,
    at: Timestamp,
    input: String,
    from_stage: Option<String>,
    to_stage: String,
    sent: String,
    trace_id: Option<String>,
}

#[derive(FromRow)]
struct SetAsideRow {
    booking_id: Uuid,
    id: Uuid,
    place: String,
    kind: Option<String>,
    error: Option<String>,
    at: Timestamp,
}

#[async_trait]
impl BookingQueries for PgBookings {
    async fn list(
        &self,
        buyer: UserId,
        status: Option<Status>,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<Booking>, StoreError> {
        let (stages, payable) = status.map(stages).unzip();
        let (mut found, mut after) = (vec![], after.map(|id| id.0));
        // As long as unreadable rows leave a page unfilled, the next rows are read.
        loop {
            let rows = select_bookings!(
                "WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2)
                   AND ($3::text[] IS NULL OR stage = ANY($3))
                   AND ($4::boolean IS NULL OR payable = $4)
                 ORDER BY id DESC LIMIT $5"
            )
            .bind(buyer.0)
            .bind(after)
            .bind(&stages)
            .bind(payable.flatten())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
            found.extend(read_bookings(&rows).found);
            if rows.len() < usize::from(limit) || found.len() >= usize::from(limit) {
                found.truncate(limit.into());
                return Ok(found);
            }
            after = rows.last().map(|row| row.try_get("id")).transpose()?;
        }
    }

    async fn organiser(&self, event: EventId) -> Result<Option<UserId>, StoreError> {
        let organiser: Option<Option<Uuid>> =
            sqlx::query_scalar("SELECT organiser_id FROM event WHERE event_id = $1")
                .bind(event.0)
                .fetch_optional(&self.pool)
                .await?;
        Ok(organiser.flatten().map(UserId))
    }

    async fn named_bookings(
        &self,
        event: EventId,
        after: Option<BookingId>,
        limit: u16,
        bytes: u32,
    ) -> Result<NamedBookings, StoreError> {
        booking_names::list(&self.pool, event, after, limit, bytes).await
    }

    async fn timeline(&self, id: BookingId) -> Result<Vec<TimelineEntry>, StoreError> {
        let rows: Vec<LogRow> = sqlx::query_as(
            "SELECT seq, at, input, from_stage, to_stage, sent, trace_id FROM saga_log
             WHERE booking_id = $1 ORDER BY seq",
        )
        .bind(id.0)
        .fetch_all(&self.pool)
        .await?;
        let entry = |row: LogRow| TimelineEntry {
            seq: row.seq,
            at: row.at,
            input: row.input,
            from: row.from_stage,
            to: row.to_stage,
            sent: row.sent.split_whitespace().map(str::to_owned).collect(),
            trace_id: row.trace_id,
        };
        Ok(rows.into_iter().map(entry).collect())
    }
}

impl PgBookings {
    /// How many sagas need an operator, by why.
    pub(crate) async fn stuck(&self) -> Result<HashMap<String, i64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT stuck, count(*) FROM booking WHERE stuck IS NOT NULL GROUP BY stuck",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// How many events have holders who are still to be told how they look.
    pub(crate) async fn moved_events(&self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar("SELECT count(*) FROM event WHERE open");
        Ok(count.fetch_one(&self.pool).await?)
    }

    /// How many sagas are under way, by stage; up to 20,000 in all, so that the
    /// count stays cheap when there are many.
    pub(crate) async fn under_way(&self) -> Result<HashMap<String, i64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT stage, count(*) FROM (SELECT stage FROM timer JOIN booking ON id = booking_id
                 WHERE wake_at IS NOT NULL LIMIT 20000) AS under_way GROUP BY stage",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().collect())
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

#[async_trait]
impl SagaQueries for PgBookings {
    async fn sagas(
        &self,
        filter: SagaFilter,
        after: Option<(Timestamp, BookingId)>,
        limit: u16,
    ) -> Result<Vec<Booking>, StoreError> {
        let (mut found, mut after) = (vec![], after.map(|(at, id)| (at, id.0)));
        // As long as unreadable rows leave a page unfilled, the next rows are read.
        loop {
            let (at, id) = after.unzip();
            let rows = select_bookings!(
                "JOIN timer ON timer.booking_id = booking.id
                 WHERE wake_at IS NOT NULL AND ($1::timestamptz IS NULL OR (updated_at, id) > ($1, $2))
                   AND ($3::boolean IS NULL OR (stuck IS NOT NULL) = $3)
                   AND ($4::text IS NULL OR stage = $4)
                   AND ($5::timestamptz IS NULL OR updated_at <= $5)
                 ORDER BY updated_at, id LIMIT $6"
            )
            .bind(at)
            .bind(id)
            .bind(filter.stuck)
            .bind(filter.stage)
            .bind(filter.unchanged_since)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
            found.extend(read_bookings(&rows).found);
            if rows.len() < usize::from(limit) || found.len() >= usize::from(limit) {
                found.truncate(limit.into());
                return Ok(found);
            }
            let last = rows.last().map(|row| Ok((row.try_get("updated_at")?, row.try_get("id")?)));
            after = last.transpose().map_err(|error: sqlx::Error| StoreError::from(error))?;
        }
    }

    async fn set_aside(&self, ids: &[BookingId]) -> Result<Vec<SetAside>, StoreError> {
        let rows: Vec<SetAsideRow> = sqlx::query_as(
            "SELECT booking.id AS booking_id, dead_letter.id, 'dead_letter' AS place, kind,
                 regexp_replace(error, '[0-9A-Fa-f]{32,}', '…', 'g') AS error, last_seen_at AS at
             FROM UNNEST($1::uuid[]) AS booking (id)
             JOIN dead_letter ON headers ->> 'ce_correlationid' = booking.id::text
             UNION ALL
             SELECT correlation, id, 'parked', kind, error, parked_at FROM parked_message
             WHERE correlation = ANY($1)
             UNION ALL
             SELECT correlation, message_id, 'outbox', kind, NULL, created_at FROM outbox
             WHERE correlation = ANY($1)
             ORDER BY at DESC LIMIT 100",
        )
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(SetAsideRow::parsed).collect())
    }
}

impl SetAsideRow {
    fn parsed(self) -> SetAside {
        let places = ["dead_letter", "parked", "outbox"];
        let place = places.into_iter().find(|place| **place == *self.place);
        let Self { booking_id, id, kind, error, at, .. } = self;
        let (booking_id, place) = (BookingId(booking_id), place.unwrap_or_default());
        SetAside { booking_id, id, place, kind, error, at }
    }
}

/// The stages of a status, and the value of `payable` where two statuses share a stage.
fn stages(status: Status) -> (Vec<&'static str>, Option<bool>) {
    match status {
        Status::Pending => (vec!["reserving", "awaiting"], Some(false)),
        Status::AwaitingPayment => (vec!["awaiting"], Some(true)),
        Status::Confirming => (vec!["confirming"], None),
        Status::Confirmed => (vec!["confirmed"], None),
        Status::Cancelling => (vec!["cancelling"], None),
        Status::Refunding => (vec!["refunding"], None),
        Status::Cancelled => (vec!["releasing", "cancelled"], None),
        Status::Rejected => (vec!["rejected"], None),
    }
}
