//! What is shown of payments: versions for live answers, counts for operators.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_database::{PrivilegedAct, StoreError};
use karcis_http::Versions;
use karcis_kernel::{BookingId, Currency, Money, Timestamp, UserId};
use karcis_process::chain;
use uuid::Uuid;

use super::{PgPayments, load::hold};
use crate::application::{OutcomeCount, Outcomes, Unsettled, UnsettledPayments};

/// How many refunds and reversals wait for an operator, since the provider refuses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct StuckRefunds {
    pub(crate) refunds: i64,
    pub(crate) reversals: i64,
}

impl PgPayments {
    /// What is refused and not settled yet.
    pub(crate) async fn stuck_refunds(&self) -> Result<StuckRefunds, StoreError> {
        let counts = sqlx::query_as(
            "SELECT (SELECT count(*) FROM payment
                     WHERE status = 'refunding' AND refund_refusal IS NOT NULL) AS refunds,
                    (SELECT count(*) FROM attempt
                     WHERE outcome = 'returning' AND reversal_refusal IS NOT NULL) AS reversals",
        );
        Ok(counts.fetch_one(&self.pool).await?)
    }

    /// Of how many attempts and refunds the provider does not say what became of them, even when asked again;
    /// without those that wait for their buyer.
    pub(crate) async fn unresolved(&self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM attempt a JOIN payment p USING (booking_id)
                     WHERE a.outcome IS NULL AND a.action IS NULL AND p.tries > 1)
                 + (SELECT count(*) FROM payment WHERE status = 'refunding' AND refund_refusal IS NULL
                        AND unanswered IS NOT NULL AND tries > 1)",
        );
        Ok(count.fetch_one(&self.pool).await?)
    }
}

#[async_trait]
impl Versions for PgPayments {
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String> {
        let rows: Result<Vec<(Uuid, i64)>, sqlx::Error> =
            sqlx::query_as("SELECT booking_id, version FROM payment WHERE booking_id = ANY($1)")
                .bind(ids)
                .fetch_all(&self.pool)
                .await;
        rows.map(|rows| rows.into_iter().collect()).map_err(|error| chain(&error).to_string())
    }
}

#[async_trait]
impl Outcomes for PgPayments {
    async fn outcomes(&self, since: Timestamp) -> Result<Vec<OutcomeCount>, StoreError> {
        let counts: Vec<(Option<String>, Option<String>, i64)> = sqlx::query_as(
            "SELECT outcome, decline_code, count(*) AS attempts
             FROM (SELECT outcome, decline_code FROM attempt WHERE at > $1 LIMIT 100000) AS recent
             GROUP BY outcome, decline_code ORDER BY attempts DESC, outcome, decline_code",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await?;
        let counts = counts.into_iter();
        Ok(counts
            .map(|(outcome, decline_code, attempts)| OutcomeCount {
                outcome,
                decline_code,
                attempts,
            })
            .collect())
    }
}

#[derive(sqlx::FromRow)]
struct UnsettledRow {
    booking_id: Uuid,
    user_id: Uuid,
    amount: i64,
    currency: String,
    what: String,
    attempt_id: Uuid,
    at: Option<Timestamp>,
    cancel_wanted: bool,
    refusal: Option<String>,
}

#[async_trait]
impl UnsettledPayments for PgPayments {
    async fn unsettled(
        &self,
        before: Timestamp,
        after: Option<(BookingId, Uuid)>,
        limit: u16,
    ) -> Result<Vec<Unsettled>, StoreError> {
        let (after, after_attempt) = after.unzip();
        let rows: Vec<UnsettledRow> = sqlx::query_as(
            "SELECT booking_id, user_id, amount, currency, what, attempt_id, at, cancel_wanted, refusal
             FROM (
                 SELECT booking_id, 'attempt' AS what, id AS attempt_id, at, NULL AS refusal
                 FROM attempt JOIN payment USING (booking_id)
                 WHERE outcome IS NULL AND at <= $1
                     AND (action IS NULL OR action_expires_at <= now() OR cancel_wanted)
                 UNION ALL
                 SELECT booking_id, 'reversal', id, at, coalesce(reversal_refusal, unanswered)
                 FROM attempt JOIN payment USING (booking_id) WHERE outcome = 'returning'
                     AND (reversal_refusal IS NOT NULL OR unanswered IS NOT NULL AND tries > 1)
                 UNION ALL
                 SELECT booking_id, 'refund', $4, NULL, coalesce(refund_refusal, unanswered)
                 FROM payment WHERE status = 'refunding'
                     AND (refund_refusal IS NOT NULL OR unanswered IS NOT NULL AND tries > 1)
             ) AS open JOIN payment USING (booking_id)
             WHERE $2::uuid IS NULL OR (booking_id, attempt_id) < ($2, $3)
             ORDER BY booking_id DESC, attempt_id DESC LIMIT $5",
        )
        .bind(before)
        .bind(after.map(|booking| booking.0))
        .bind(after_attempt)
        .bind(Uuid::nil())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().filter_map(UnsettledRow::parsed).collect())
    }

    async fn hold(&self, booking: BookingId) -> Result<Option<bool>, StoreError> {
        hold(&self.pool, booking, self.lease.as_secs_f64()).await
    }

    async fn is_recorded(&self, act: &PrivilegedAct) -> Result<bool, StoreError> {
        Ok(act.is_recorded(&mut self.pool.acquire().await?).await?)
    }
}

impl UnsettledRow {
    /// `None` if it has a word of a newer release.
    fn parsed(self) -> Option<Unsettled> {
        let currency: Currency = self.currency.parse().ok()?;
        let whats = ["attempt", "reversal", "refund"];
        Some(Unsettled {
            booking_id: BookingId(self.booking_id),
            user_id: UserId(self.user_id),
            amount: Money::new(self.amount, currency),
            what: whats.into_iter().find(|what| **what == *self.what)?,
            attempt_id: self.attempt_id,
            at: self.at,
            cancel_wanted: self.cancel_wanted,
            refusal: self.refusal,
        })
    }
}
