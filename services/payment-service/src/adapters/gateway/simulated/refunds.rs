//! The simulated provider's durable ledger of refunds: money goes back once per key.

use std::collections::HashMap;

use karcis_database::{Pool, StoreError};
use karcis_kernel::{BookingId, Timestamp};

use super::methods::{REFUND_PENDING, REFUND_REFUSED, REFUSAL, SLOW};
use crate::{application::Refund, domain::RefundOutcome};

#[derive(sqlx::FromRow)]
struct RefundRow {
    key: String,
    is_refused: bool,
    is_pending: bool,
}

/// Gives the money back once per key, unless the method that paid takes no refund, or takes time.
pub(super) async fn refund(
    pool: &Pool,
    refunds: &[Refund],
    now: Timestamp,
) -> Result<Vec<RefundOutcome>, StoreError> {
    let rows: Vec<RefundRow> = sqlx::query_as(
        "WITH asked AS (
             SELECT a.*, coalesce(c.method = $6, false) AS is_refused,
                    CASE WHEN c.method = $7 THEN $8::timestamptz END AS due_at
             FROM UNNEST($1::text[], $2::uuid[], $3::bigint[], $4::text[])
                 AS a (key, intent, amount, currency)
             LEFT JOIN intent i ON i.id = a.intent LEFT JOIN charge c ON c.key = i.charge_key
         ), done AS (
             INSERT INTO refund (key, intent, amount, currency, at, due_at)
             SELECT key, intent, amount, currency, $5, due_at FROM asked
             WHERE NOT is_refused ORDER BY key
             ON CONFLICT (key) DO NOTHING
         )
         SELECT asked.key, is_refused, CASE WHEN refund.key IS NULL THEN asked.due_at IS NOT NULL
                                            ELSE coalesce(refund.due_at > $5, false) END AS is_pending
         FROM asked LEFT JOIN refund USING (key)",
    )
    .bind(refunds.iter().map(|refund| refund.key.as_str()).collect::<Vec<_>>())
    .bind(refunds.iter().map(|refund| refund.intent.0).collect::<Vec<_>>())
    .bind(refunds.iter().map(|refund| refund.amount.amount).collect::<Vec<_>>())
    .bind(refunds.iter().map(|refund| refund.amount.currency.as_str()).collect::<Vec<_>>())
    .bind(now)
    .bind(REFUND_REFUSED)
    .bind(REFUND_PENDING)
    .bind(now + SLOW)
    .fetch_all(pool)
    .await?;
    let rows: HashMap<&str, &RefundRow> = rows.iter().map(|row| (row.key.as_str(), row)).collect();
    let outcome = |refund: &Refund| match rows.get(refund.key.as_str()) {
        Some(row) if row.is_refused => Ok(RefundOutcome::Refused { reason: REFUSAL.to_owned() }),
        Some(row) if row.is_pending => Ok(RefundOutcome::Pending),
        Some(_) => Ok(RefundOutcome::Done),
        None => Err(StoreError::unavailable(format!("the ledger has lost {}", refund.key))),
    };
    refunds.iter().map(outcome).collect()
}

/// Ends the refunds whose time is over, with a webhook for each.
pub(super) async fn end_due(pool: &Pool, now: Timestamp) -> Result<(), StoreError> {
    let end = "WITH ended AS (
                   UPDATE refund SET due_at = NULL WHERE due_at <= $1 RETURNING intent
               )
               INSERT INTO webhook (intent) SELECT intent FROM ended";
    sqlx::query(end).bind(now).execute(pool).await?;
    Ok(())
}

/// How much of the intent's money went back.
pub(super) async fn refunded(
    pool: &Pool,
    intent: BookingId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let sum = "SELECT coalesce(sum(amount), 0)::bigint FROM refund
               WHERE intent = $1 AND (due_at IS NULL OR due_at <= $2)";
    Ok(sqlx::query_scalar(sum).bind(intent.0).bind(now).fetch_one(pool).await?)
}
