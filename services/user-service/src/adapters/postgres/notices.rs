//! Notices to buyers: table `notice`.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use karcis_process::trace;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    application::ports::{Notices, StoreError},
    domain::{Buyer, Due, Email, Notice, NoticeKind, PersonName},
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
    trace: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

impl TryFrom<Row> for Due {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = |what: &str| StoreError::Broken(format!("{what} of a notice"));
        let kind = NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
        let buyer = row.email.zip(row.name).map(|(email, name)| {
            let email = Email::parse(&email).map_err(|_| broken("address"))?;
            let name = PersonName::parse(&name).map_err(|_| broken("name"))?;
            Ok::<_, StoreError>(Buyer { email, name })
        });
        let notice = Notice {
            booking_id: BookingId(row.booking_id),
            kind: kind.ok_or_else(|| broken("kind"))?,
            user_id: UserId(row.user_id),
            event_id: EventId(row.event_id),
            reason: row.reason,
        };
        Ok(Self { notice, buyer: buyer.transpose()?, trace: row.trace })
    }
}

#[async_trait]
impl Notices for PgNotices {
    async fn note(&self, notices: &[Notice], at: Timestamp) -> Result<(), StoreError> {
        let column = |of: fn(&Notice) -> Uuid| notices.iter().map(of).collect::<Vec<_>>();
        let trace = |notice: &Notice| trace::header(&trace::of(Some(notice.booking_id.0)));
        sqlx::query(
            "INSERT INTO notice (booking_id, kind, user_id, event_id, reason, trace, noted_at, try_at)
             SELECT booking_id, kind, user_id, event_id, reason, trace, $7, $7
             FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
                 AS n (booking_id, kind, user_id, event_id, reason, trace)
             ORDER BY booking_id, kind
             ON CONFLICT ON CONSTRAINT notice_once DO NOTHING",
        )
        .bind(column(|notice| notice.booking_id.0))
        .bind(notices.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>())
        .bind(column(|notice| notice.user_id.0))
        .bind(column(|notice| notice.event_id.0))
        .bind(notices.iter().map(|notice| notice.reason.as_deref()).collect::<Vec<_>>())
        .bind(notices.iter().map(trace).collect::<Vec<_>>())
        .bind(at)
        .execute(&self.0)
        .await?;
        Ok(())
    }

    async fn take_due(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "WITH due AS (
                 SELECT booking_id, kind, user_id FROM notice
                 WHERE told_at IS NULL AND try_at <= $1 AND noted_at > $3
                 ORDER BY try_at LIMIT $4
                 FOR NO KEY UPDATE SKIP LOCKED
             )
             UPDATE notice SET try_at = $2
             FROM due LEFT JOIN account USING (user_id)
             WHERE notice.booking_id = due.booking_id AND notice.kind = due.kind
             RETURNING notice.booking_id, notice.kind, notice.user_id, event_id, reason, trace,
                 email, name",
        )
        .bind(at)
        .bind(until)
        .bind(since)
        .bind(limit as i64)
        .fetch_all(&self.0)
        .await?;
        // One that cannot be read holds nobody up.
        let unreadable = |error: &StoreError| tracing::error!(%error, "a notice is left untold");
        let read = |row| Due::try_from(row).inspect_err(unreadable).ok();
        let mut due: Vec<Due> = rows.into_iter().filter_map(read).collect();
        due.sort_unstable_by_key(|due| (due.notice.booking_id, due.notice.kind));
        Ok(due)
    }

    async fn settle(
        &self,
        outcomes: &[(&Notice, bool)],
        at: Timestamp,
        pause: RangeInclusive<TimeDelta>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "WITH settled AS (
                 SELECT notice.booking_id, notice.kind, done FROM notice
                 JOIN unnest($1::uuid[], $2::text[], $3::bool[]) AS n (booking_id, kind, done)
                     ON notice.booking_id = n.booking_id AND notice.kind = n.kind
                 ORDER BY notice.booking_id, notice.kind
                 FOR NO KEY UPDATE OF notice
             )
             UPDATE notice SET
                 told_at = CASE WHEN done THEN $4 END,
                 try_at = CASE WHEN done THEN try_at
                     ELSE $4 + least(greatest($4 - noted_at, $5), $6) END
             FROM settled
             WHERE notice.booking_id = settled.booking_id AND notice.kind = settled.kind",
        )
        .bind(outcomes.iter().map(|(notice, _)| notice.booking_id.0).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|(notice, _)| notice.kind.as_str()).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|(_, done)| *done).collect::<Vec<_>>())
        .bind(at)
        .bind(*pause.start())
        .bind(*pause.end())
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
