//! What is shown of payments: versions for live answers, counts for operators.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_database::StoreError;
use karcis_http::Versions;
use karcis_process::chain;
use uuid::Uuid;

use super::PgPayments;

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

    /// Of how many attempts the provider does not know the outcome, even when asked again; without those
    /// that wait for their buyer.
    pub(crate) async fn unresolved_attempts(&self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT count(*) FROM attempt a JOIN payment p USING (booking_id)
             WHERE a.outcome IS NULL AND a.action IS NULL AND p.tries > 1",
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
