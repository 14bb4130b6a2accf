//! The simulated provider's durable books: one answer per key, one end per intent.

use std::collections::HashMap;

use karcis_kernel::{BookingId, Timestamp};
use sqlx::PgPool;
use uuid::Uuid;

use super::methods::{Script, decline, script};
use crate::{
    application::ports::{Charge, Refund, StoreError},
    domain::Outcome,
};

/// What the books say of a charge.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Its answer, for ever.
    Answered(Outcome),
    /// The answer comes at this time.
    Due(Timestamp),
}

#[derive(sqlx::FromRow)]
struct ChargeRow {
    key: String,
    answer: Option<String>,
    decline_code: Option<String>,
    due_at: Timestamp,
}

/// Where each charge stands, in their order. A key that is new is written down and, unless its
/// script takes time, answered; a known one gets the answer it has.
pub(super) async fn charge(
    pool: &PgPool,
    charges: &[Charge],
    now: Timestamp,
) -> Result<Vec<Standing>, StoreError> {
    let mut standings = ask(pool, charges, now).await.map_err(failed)?;
    let open: Vec<&str> = charges
        .iter()
        .map(|charge| charge.key.as_str())
        .filter(|key| !matches!(standings.get(*key), Some(Standing::Answered(_))))
        .collect();
    if !open.is_empty() {
        standings.extend(settle(pool, &open, now).await.map_err(failed)?);
    }
    charges
        .iter()
        .map(|charge| standings.get(&charge.key).cloned().ok_or_else(|| lost(&charge.key)))
        .collect()
}

fn failed(error: sqlx::Error) -> StoreError {
    error.into()
}

fn lost(key: &str) -> StoreError {
    StoreError::unavailable(format!("the ledger has lost {key}"))
}

/// Writes down the charges whose keys are new, and captures in the same statement what captures at
/// once: whoever puts the intent's one row there first has decided its fate.
async fn ask(
    pool: &PgPool,
    charges: &[Charge],
    now: Timestamp,
) -> Result<HashMap<String, Standing>, sqlx::Error> {
    let scripts: Vec<Script> = charges.iter().map(|charge| script(&charge.method)).collect();
    let due_at = |script: &Script| match script {
        Script::CaptureAfter(time) => now + *time,
        Script::Capture | Script::Decline(_) => now,
    };
    let declines = |script: &Script| match script {
        Script::Decline(code) => Some(*code),
        Script::Capture | Script::CaptureAfter(_) => None,
    };
    let rows: Vec<ChargeRow> = sqlx::query_as(
        "WITH asked AS (
             SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[],
                                  $6::timestamptz[], $7::boolean[], $8::text[])
                 AS a (key, intent, amount, currency, method, due_at, captures, decline_code)
         ), captured AS (
             INSERT INTO intent (id, fate, charge_key, at)
             SELECT intent, 'captured', key, $9 FROM asked WHERE captures ORDER BY intent
             ON CONFLICT (id) DO NOTHING RETURNING charge_key
         )
         INSERT INTO charge
             (key, intent, amount, currency, method, asked_at, due_at, answer, decline_code)
         SELECT a.key, a.intent, a.amount, a.currency, a.method, $9, a.due_at,
                CASE WHEN a.decline_code IS NOT NULL THEN 'declined'
                     WHEN c.charge_key IS NOT NULL THEN 'captured' END,
                a.decline_code
         FROM asked a LEFT JOIN captured c ON c.charge_key = a.key ORDER BY a.key
         ON CONFLICT (key) DO NOTHING
         RETURNING key, answer, decline_code, due_at",
    )
    .bind(charges.iter().map(|charge| charge.key.as_str()).collect::<Vec<_>>())
    .bind(charges.iter().map(|charge| charge.intent.0).collect::<Vec<_>>())
    .bind(charges.iter().map(|charge| charge.amount.amount).collect::<Vec<_>>())
    .bind(charges.iter().map(|charge| charge.amount.currency.as_str()).collect::<Vec<_>>())
    .bind(charges.iter().map(|charge| charge.method.as_str()).collect::<Vec<_>>())
    .bind(scripts.iter().map(due_at).collect::<Vec<_>>())
    .bind(scripts.iter().map(|script| *script == Script::Capture).collect::<Vec<_>>())
    .bind(scripts.iter().map(declines).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(standing).collect())
}

/// Answers what has become due among these keys, and reads where all of them stand.
async fn settle(
    pool: &PgPool,
    keys: &[&str],
    now: Timestamp,
) -> Result<HashMap<String, Standing>, sqlx::Error> {
    sqlx::query(
        "INSERT INTO intent (id, fate, charge_key, at)
         SELECT intent, 'captured', key, $2 FROM charge
         WHERE key = ANY($1) AND answer IS NULL AND due_at <= $2 ORDER BY intent
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(keys)
    .bind(now)
    .execute(pool)
    .await?;
    sqlx::query(
        "UPDATE charge c
         SET answer = CASE WHEN i.fate = 'voided' THEN 'voided'
                           WHEN i.charge_key = c.key THEN 'captured' ELSE 'declined' END,
             decline_code = CASE WHEN i.charge_key <> c.key THEN 'already_captured' END
         FROM intent i
         WHERE i.id = c.intent AND c.key = ANY($1) AND c.answer IS NULL AND c.due_at <= $2",
    )
    .bind(keys)
    .bind(now)
    .execute(pool)
    .await?;
    let rows: Vec<ChargeRow> =
        sqlx::query_as("SELECT key, answer, decline_code, due_at FROM charge WHERE key = ANY($1)")
            .bind(keys)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(standing).collect())
}

fn standing(row: ChargeRow) -> (String, Standing) {
    let standing = match (row.answer.as_deref(), row.decline_code) {
        (Some("captured"), _) => Standing::Answered(Outcome::Approved),
        (Some("voided"), _) => Standing::Answered(Outcome::Voided),
        (Some(_), Some(code)) => Standing::Answered(Outcome::Declined(decline(code))),
        (Some(_), None) | (None, _) => Standing::Due(row.due_at),
    };
    (row.key, standing)
}

/// Closes the intents for ever; how each of them ended, in their order.
pub(super) async fn void(
    pool: &PgPool,
    intents: &[BookingId],
    now: Timestamp,
) -> Result<Vec<Outcome>, StoreError> {
    let ids: Vec<Uuid> = intents.iter().map(|intent| intent.0).collect();
    sqlx::query(
        "INSERT INTO intent (id, fate, at)
         SELECT id, 'voided', $2 FROM UNNEST($1::uuid[]) AS asked (id) ORDER BY id
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&ids)
    .bind(now)
    .execute(pool)
    .await
    .map_err(failed)?;
    let fates: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT id, fate FROM intent WHERE id = ANY($1)")
            .bind(&ids)
            .fetch_all(pool)
            .await
            .map_err(failed)?;
    let fates: HashMap<Uuid, String> = fates.into_iter().collect();
    let outcome = |id| match fates.get(id).map(String::as_str) {
        Some("captured") => Outcome::Approved,
        Some(_) => Outcome::Voided,
        None => Outcome::Unknown,
    };
    Ok(ids.iter().map(outcome).collect())
}

/// Gives the money back, once per key.
pub(super) async fn refund(
    pool: &PgPool,
    refunds: &[Refund],
    now: Timestamp,
) -> Result<Vec<()>, StoreError> {
    sqlx::query(
        "INSERT INTO refund (key, intent, amount, currency, at)
         SELECT key, intent, amount, currency, $5
         FROM UNNEST($1::text[], $2::uuid[], $3::bigint[], $4::text[])
             AS asked (key, intent, amount, currency) ORDER BY key
         ON CONFLICT (key) DO NOTHING",
    )
    .bind(refunds.iter().map(|refund| refund.key.as_str()).collect::<Vec<_>>())
    .bind(refunds.iter().map(|refund| refund.intent.0).collect::<Vec<_>>())
    .bind(refunds.iter().map(|refund| refund.amount.amount).collect::<Vec<_>>())
    .bind(refunds.iter().map(|refund| refund.amount.currency.as_str()).collect::<Vec<_>>())
    .bind(now)
    .execute(pool)
    .await
    .map_err(failed)?;
    Ok(refunds.iter().map(|_| ()).collect())
}
