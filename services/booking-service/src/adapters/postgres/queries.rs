//! What is shown of bookings.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_kernel::{BookingId, TicketCode, Timestamp, UserId};
use sqlx::FromRow;

use super::{
    PgBookings,
    row::{BookingRow, TicketRow, select_bookings},
    store_error,
    write::code_id,
};
use crate::{
    application::{BookingQueries, SoldTicket, StoreError, TimelineEntry},
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
}

#[async_trait]
impl BookingQueries for PgBookings {
    async fn find(&self, id: BookingId) -> Result<Option<Booking>, StoreError> {
        self.read_one(id).await
    }

    async fn list(
        &self,
        buyer: UserId,
        status: Option<Status>,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<Booking>, StoreError> {
        let (stages, payable) = status.map(stages).unzip();
        let rows = select_bookings!(
            "WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2)
               AND ($3::text[] IS NULL OR stage = ANY($3))
               AND ($4::boolean IS NULL OR payable = $4)
             ORDER BY id DESC LIMIT $5"
        )
        .bind(buyer.0)
        .bind(after.map(|id| id.0))
        .bind(stages)
        .bind(payable.flatten())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(BookingRow::booking).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn timeline(&self, id: BookingId) -> Result<Vec<TimelineEntry>, StoreError> {
        let rows: Vec<LogRow> = sqlx::query_as(
            "SELECT seq, at, input, from_stage, to_stage, sent FROM saga_log
             WHERE booking_id = $1 ORDER BY seq",
        )
        .bind(id.0)
        .fetch_all(&self.pool)
        .await
        .map_err(store_error)?;
        let entry = |row: LogRow| TimelineEntry {
            seq: row.seq,
            at: row.at,
            input: row.input,
            from: row.from_stage,
            to: row.to_stage,
            sent: row.sent.split_whitespace().map(str::to_owned).collect(),
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    async fn ticket(&self, code: &TicketCode) -> Result<Option<SoldTicket>, StoreError> {
        let row: Option<TicketRow> = sqlx::query_as(
            "SELECT booking.event_id, booking.stage, booking.offer, booking.tickets
             FROM ticket JOIN booking ON booking.id = ticket.booking_id WHERE ticket.code = $1",
        )
        .bind(code_id(code))
        .fetch_optional(&self.pool)
        .await
        .map_err(store_error)?;
        Ok(row.and_then(|row| row.ticket(code)))
    }
}

impl PgBookings {
    /// How many sagas need an operator, by why.
    pub async fn stuck(&self) -> Result<HashMap<String, i64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT stuck, count(*) FROM booking WHERE stuck IS NOT NULL GROUP BY stuck",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error)?;
        Ok(rows.into_iter().collect())
    }

    /// How many sagas are under way, by stage; up to 20,000 in all, lest it slow down a rush.
    pub async fn under_way(&self) -> Result<HashMap<String, i64>, StoreError> {
        // By the index of alarms, which holds those under way alone.
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT stage, count(*) FROM (SELECT stage FROM booking WHERE wake_at IS NOT NULL
                 ORDER BY LEAST(due_at, wake_at) LIMIT 20000) AS under_way GROUP BY stage",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(store_error)?;
        Ok(rows.into_iter().collect())
    }

    /// Forgets up to `limit` requests' keys of before `until`. Returns how many there were.
    pub async fn forget_keys(&self, until: Timestamp, limit: u16) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM idempotency_key WHERE (user_id, key) IN
                 (SELECT user_id, key FROM idempotency_key WHERE created_at < $1
                  ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        )
        .bind(until)
        .bind(i64::from(limit))
        .execute(&self.pool)
        .await
        .map_err(store_error)?;
        Ok(done.rows_affected())
    }
}

/// The stages of a status, and whether the buyer can pay where that tells two of them apart.
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_uuid_holds_a_whole_ticket_code() {
        let text = "00112233445566778899aabbccddeeff";
        let code: TicketCode = text.parse().expect("a code");
        assert_eq!(code_id(&code), Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
    }
}
