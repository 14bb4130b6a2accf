//! Notices to buyers: table `notice`.

use async_trait::async_trait;
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    application::ports::{Notices, StoreError},
    domain::{Notice, NoticeKind},
};

/// Table `notice`.
pub struct PgNotices(pub PgPool);

#[derive(sqlx::FromRow)]
struct Row {
    booking_id: Uuid,
    kind: String,
    user_id: Uuid,
    event_id: Uuid,
    reason: Option<String>,
}

impl TryFrom<Row> for Notice {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = NoticeKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == row.kind)
            .ok_or_else(|| StoreError::Broken(format!("notice of kind {}", row.kind)))?;
        Ok(Self {
            booking_id: BookingId(row.booking_id),
            kind,
            user_id: UserId(row.user_id),
            event_id: EventId(row.event_id),
            reason: row.reason,
        })
    }
}

#[async_trait]
impl Notices for PgNotices {
    async fn note(
        &self,
        notices: &[Notice],
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Notice>, StoreError> {
        let column = |of: fn(&Notice) -> Uuid| notices.iter().map(of).collect::<Vec<_>>();
        let rows: Vec<Row> = sqlx::query_as(
            "INSERT INTO notice (booking_id, kind, user_id, event_id, reason, noted_at, try_at)
             SELECT booking_id, kind, user_id, event_id, reason, $6, $7
             FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[])
                 AS n (booking_id, kind, user_id, event_id, reason)
             ORDER BY booking_id, kind
             ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
             RETURNING booking_id, kind, user_id, event_id, reason",
        )
        .bind(column(|notice| notice.booking_id.0))
        .bind(notices.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>())
        .bind(column(|notice| notice.user_id.0))
        .bind(column(|notice| notice.event_id.0))
        .bind(notices.iter().map(|notice| notice.reason.as_deref()).collect::<Vec<_>>())
        .bind(at)
        .bind(until)
        .fetch_all(&self.0)
        .await?;
        rows.into_iter().map(Notice::try_from).collect()
    }

    async fn take_overdue(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<Notice>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "WITH overdue AS (
                 SELECT booking_id, kind FROM notice
                 WHERE told_at IS NULL AND try_at <= $1 AND noted_at > $3
                 ORDER BY try_at LIMIT $4
                 FOR NO KEY UPDATE SKIP LOCKED
             )
             UPDATE notice SET try_at = $2 FROM overdue
             WHERE notice.booking_id = overdue.booking_id AND notice.kind = overdue.kind
             RETURNING notice.booking_id, notice.kind, user_id, event_id, reason",
        )
        .bind(at)
        .bind(until)
        .bind(since)
        .bind(limit)
        .fetch_all(&self.0)
        .await?;
        rows.into_iter().map(Notice::try_from).collect()
    }

    async fn told(&self, notices: &[&Notice], at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "WITH given AS (
                 SELECT notice.booking_id, notice.kind FROM notice
                 JOIN unnest($1::uuid[], $2::text[]) AS n (booking_id, kind)
                     ON notice.booking_id = n.booking_id AND notice.kind = n.kind
                 ORDER BY notice.booking_id, notice.kind
                 FOR NO KEY UPDATE OF notice
             )
             UPDATE notice SET told_at = $3 FROM given
             WHERE notice.booking_id = given.booking_id AND notice.kind = given.kind",
        )
        .bind(notices.iter().map(|notice| notice.booking_id.0).collect::<Vec<_>>())
        .bind(notices.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>())
        .bind(at)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
