//! What operators see of sagas: those that wait, and their messages that did not arrive.

use async_trait::async_trait;
use karcis_database::StoreError;
use karcis_kernel::{BookingId, Timestamp};
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::{
    PgBookings,
    rows::{read_bookings, select_bookings},
};
use crate::{
    application::{SagaFilter, SagaQueries, SetAside},
    domain::Booking,
};

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
                "WHERE wake_at IS NOT NULL AND ($1::timestamptz IS NULL OR (updated_at, id) > ($1, $2))
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
            "SELECT booking.id AS booking_id, dead_letter.id, 'dead_letter' AS place, kind, error,
                 last_seen_at AS at
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
