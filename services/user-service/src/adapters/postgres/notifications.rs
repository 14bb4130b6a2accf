//! Notifications to buyers: table `notice`.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::{Loaded, Pool, StoreError};
use karcis_kernel::Timestamp;
use karcis_process::{crash_point, trace};
use uuid::Uuid;

use super::{rows::NotificationRow, stored_json::content_json};
use crate::{
    application::{MailQueue, Notifications},
    domain::{Mail, Notification, NotificationKind},
};

/// Table `notice`.
pub(crate) struct PgNotifications(pub Pool);

/// What column `reason` has.
fn reason(kind: &NotificationKind) -> Option<&str> {
    match kind {
        NotificationKind::Rejected { reason, .. } | NotificationKind::Cancelled { reason, .. } => {
            Some(reason)
        }
        _ => None,
    }
}

#[async_trait]
impl Notifications for PgNotifications {
    async fn add(&self, notifications: &[Notification], at: Timestamp) -> Result<(), StoreError> {
        if notifications.is_empty() {
            return Ok(());
        }
        let column =
            |of: fn(&Notification) -> Uuid| notifications.iter().map(of).collect::<Vec<_>>();
        let trace = |one: &Notification| trace::header(&trace::of(Some(one.booking_id.0)));
        sqlx::query(
            "INSERT INTO notice
                 (booking_id, kind, user_id, event_id, reason, content, trace, noted_at, try_at)
             SELECT booking_id, kind, user_id, event_id, reason, content::json, trace, $8, try_at
             FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
                     $7::text[], $9::timestamptz[])
                 AS n (booking_id, kind, user_id, event_id, reason, content, trace, try_at)
             ORDER BY booking_id, kind
             ON CONFLICT ON CONSTRAINT notice_once DO NOTHING",
        )
        .bind(column(|one| one.booking_id.0))
        .bind(notifications.iter().map(|one| one.kind.key()).collect::<Vec<_>>())
        .bind(column(|one| one.user_id.0))
        .bind(column(|one| one.event_id.0))
        .bind(notifications.iter().map(|one| reason(&one.kind)).collect::<Vec<_>>())
        .bind(notifications.iter().map(|one| content_json(&one.kind)).collect::<Vec<_>>())
        .bind(notifications.iter().map(trace).collect::<Vec<_>>())
        .bind(at)
        .bind(notifications.iter().map(|one| at + one.kind.delay()).collect::<Vec<_>>())
        .execute(&self.0)
        .await?;
        crash_point("notifications.added");
        // Who has paid, or cannot pay any more, is not told to.
        let later = notifications.iter().filter(|one| one.kind.as_str() != "reserved");
        sqlx::query(
            "UPDATE notice SET told_at = coalesce(told_at, $2)
             WHERE booking_id = ANY($1) AND kind = 'reserved'",
        )
        .bind(later.map(|one| one.booking_id.0).collect::<Vec<_>>())
        .bind(at)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}

#[async_trait]
impl MailQueue for PgNotifications {
    async fn claim_due(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Mail>, StoreError> {
        // Older releases store notifications of new bookings too: nobody is sent one any more.
        const CLAIM: &str = "WITH given_up AS (
                 UPDATE notice SET try_at = 'infinity', content = NULL
                 WHERE (booking_id, kind) IN (
                     SELECT booking_id, kind FROM notice
                     WHERE told_at IS NULL AND try_at <= $1
                         AND (noted_at <= $3 OR kind = 'created')
                     LIMIT 5000 FOR NO KEY UPDATE SKIP LOCKED)
             ), due AS (
                 SELECT booking_id, kind, user_id FROM notice
                 WHERE told_at IS NULL AND try_at <= $1 AND noted_at > $3 AND kind <> 'created'
                 ORDER BY try_at LIMIT $4
                 FOR NO KEY UPDATE SKIP LOCKED
             )
             UPDATE notice SET try_at = $2
             FROM due LEFT JOIN account USING (user_id)
             WHERE notice.booking_id = due.booking_id AND notice.kind = due.kind
             RETURNING notice.booking_id, notice.kind, notice.user_id, event_id, reason, content,
                 trace, email, name, locale, verified_email = email AS is_verified";
        let mut due: Vec<Mail> = Vec::new();
        // Rows that cannot be read do not hold up the others: more are claimed in their place.
        while due.len() < limit {
            let wanted = limit - due.len();
            let rows = sqlx::query(CLAIM)
                .bind(at)
                .bind(until)
                .bind(since)
                .bind(wanted as i64)
                .fetch_all(&self.0)
                .await?;
            let row = "notification of booking";
            due.extend(Loaded::read(row, "booking_id", &rows, NotificationRow::parsed).found);
            if rows.len() < wanted {
                break;
            }
        }
        if !due.is_empty() {
            crash_point("notifications.claimed");
        }
        due.sort_by_key(|due| {
            due.content.notification().map(|one| (one.booking_id, one.kind.order()))
        });
        Ok(due)
    }

    async fn record(
        &self,
        outcomes: &[(&Mail, bool)],
        at: Timestamp,
        pause: RangeInclusive<TimeDelta>,
    ) -> Result<(), StoreError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        crash_point("notifications.sent");
        let of_bookings = outcomes
            .iter()
            .filter_map(|(mail, done)| mail.content.notification().map(|one| (one, *done)));
        let outcomes: Vec<(&Notification, bool)> = of_bookings.collect();
        // Codes of tickets are kept no longer than they are needed.
        // What was dropped while it was being sent stays dropped. `told_at` stands in no condition: it would have the
        // planner read all that is due, by the index of that.
        sqlx::query(
            "UPDATE notice SET
                 told_at = coalesce(told_at, CASE WHEN done THEN $4 END),
                 try_at = CASE WHEN done THEN try_at
                     ELSE $4 + least(greatest($4 - noted_at, $5), $6) END,
                 content = CASE WHEN done AND content ->> 'issued' IS NOT NULL THEN NULL ELSE content END
             FROM unnest($1::uuid[], $2::text[], $3::bool[]) AS n (booking_id, kind, done)
             WHERE notice.booking_id = n.booking_id AND notice.kind = n.kind",
        )
        .bind(outcomes.iter().map(|(one, _)| one.booking_id.0).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|(one, _)| one.kind.key()).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|(_, done)| *done).collect::<Vec<_>>())
        .bind(at)
        .bind(*pause.start())
        .bind(*pause.end())
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
