//! The simulated provider's durable ledger of charges: one answer per key, one end per intent.

use std::collections::HashMap;

use karcis_database::{Pool, StoreError};
use karcis_kernel::{BookingId, Timestamp};
use uuid::Uuid;

use super::methods::{EXECUTES_LATE, Script, decline, loses_first_answer, script};
use crate::{
    application::{Charge, attempt_of},
    domain::Outcome,
};

/// The decline code of a charge whose intent was captured under another key.
const ALREADY_CAPTURED: &str = "already_captured";

/// What the ledger says of a charge.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Its answer for now.
    Answered(Outcome),
    /// The answer comes at this time.
    Due(Timestamp),
    /// The buyer has to approve it by this time.
    Unapproved(Timestamp),
}

#[derive(sqlx::FromRow)]
struct ChargeRow {
    key: String,
    method: String,
    answer: Option<String>,
    decline_code: Option<String>,
    due_at: Timestamp,
    approved: Option<bool>,
    /// Whether its intent's money has gone back.
    is_refunded: bool,
    /// The key of the charge that its intent has captured.
    captured_by: Option<String>,
}

/// Where each charge stands, in their order. A key that is new is written down and, unless its
/// script takes time, answered, though that answer may be lost; a known one gets the answer it has.
pub(super) async fn charge(
    pool: &Pool,
    charges: &[Charge],
    now: Timestamp,
) -> Result<Vec<Standing>, StoreError> {
    let mut standings = ask(pool, charges, now).await?;
    let open: Vec<&str> = charges
        .iter()
        .map(|charge| charge.key.as_str())
        .filter(|key| !matches!(standings.get(*key), Some(Standing::Answered(_))))
        .collect();
    if !open.is_empty() {
        standings.extend(settle(pool, &open, now).await?);
    }
    charges
        .iter()
        .map(|charge| standings.get(&charge.key).cloned().ok_or_else(|| lost(&charge.key)))
        .collect()
}

fn lost(key: &str) -> StoreError {
    StoreError::unavailable(format!("the ledger has lost {key}"))
}

/// Writes down the charges whose keys are new, and captures in the same statement what captures at
/// once: the first row of an intent decides how it ends.
async fn ask(
    pool: &Pool,
    charges: &[Charge],
    now: Timestamp,
) -> Result<HashMap<String, Standing>, sqlx::Error> {
    let scripts: Vec<Script> = charges.iter().map(|charge| script(&charge.method)).collect();
    let due_at = |script: &Script| match script {
        Script::CaptureAfter(time) | Script::CaptureOnceApproved(time) => now + *time,
        Script::Capture | Script::Decline(_) => now,
    };
    let declines = |script: &Script| match script {
        Script::Decline(code) => Some(*code),
        Script::Capture | Script::CaptureAfter(_) | Script::CaptureOnceApproved(_) => None,
    };
    let approved =
        |script: &Script| matches!(script, Script::CaptureOnceApproved(_)).then_some(false);
    let rows: Vec<ChargeRow> = sqlx::query_as(
        "WITH asked AS (
             SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[],
                                  $6::timestamptz[], $7::boolean[], $8::text[], $10::boolean[])
                 AS a (key, intent, amount, currency, method, due_at, captures, decline_code,
                       approved)
         ), captured AS (
             INSERT INTO intent (id, fate, charge_key, at)
             SELECT intent, 'captured', key, $9 FROM asked WHERE captures ORDER BY intent
             ON CONFLICT (id) DO NOTHING RETURNING charge_key
         )
         INSERT INTO charge
             (key, intent, amount, currency, method, asked_at, due_at, answer, decline_code,
              approved)
         SELECT a.key, a.intent, a.amount, a.currency, a.method, $9, a.due_at,
                CASE WHEN i.fate = 'voided' THEN 'voided' WHEN i.id IS NOT NULL THEN NULL
                     WHEN a.decline_code IS NOT NULL THEN 'declined'
                     WHEN a.key IN (SELECT charge_key FROM captured) THEN 'captured' END,
                CASE WHEN i.id IS NULL THEN a.decline_code END, a.approved
         FROM asked a LEFT JOIN intent i ON i.id = a.intent ORDER BY a.key
         ON CONFLICT (key) DO NOTHING
         RETURNING key, method, answer, decline_code, due_at, approved, false AS is_refunded,
             NULL AS captured_by",
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
    .bind(scripts.iter().map(approved).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let first = |row: ChargeRow| match loses_first_answer(&row.method) {
        true => (row.key, Standing::Answered(Outcome::Unknown)),
        false => standing(row),
    };
    Ok(rows.into_iter().map(first).collect())
}

/// Answers what has become due among these keys, with a webhook for each, and reads where all of them
/// stand. A charge of [`EXECUTES_LATE`] is captured although its intent was voided after it was asked.
pub(super) async fn settle(
    pool: &Pool,
    keys: &[&str],
    now: Timestamp,
) -> Result<HashMap<String, Standing>, sqlx::Error> {
    // A death between the two would leave what is captured unanswered. The second sees what others captured.
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "INSERT INTO intent (id, fate, charge_key, at)
         SELECT intent, 'captured', key, $2 FROM charge
         WHERE key = ANY($1) AND answer IS NULL AND coalesce(approved, due_at <= $2)
         ORDER BY intent
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(keys)
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "WITH ends AS (
             SELECT c.key, CASE WHEN i.charge_key = c.key THEN 'captured'
                                WHEN i.fate = 'voided' AND c.method = $3 THEN 'captured'
                                WHEN i.fate = 'voided' THEN 'voided' ELSE 'declined' END AS answer,
                    CASE WHEN i.id IS NULL THEN 'action_expired' ELSE $4 END AS decline_code
             FROM charge c LEFT JOIN intent i ON i.id = c.intent
             WHERE c.key = ANY($1) AND c.answer IS NULL
                 AND (c.due_at <= $2 OR c.approved IS NOT NULL AND i.id IS NOT NULL)
         ), settled AS (
             UPDATE charge c
             SET answer = e.answer,
                 decline_code = CASE WHEN e.answer = 'declined' THEN e.decline_code END
             FROM ends e WHERE e.key = c.key AND c.answer IS NULL
             RETURNING c.intent
         )
         INSERT INTO webhook (intent) SELECT intent FROM settled",
    )
    .bind(keys)
    .bind(now)
    .bind(EXECUTES_LATE)
    .bind(ALREADY_CAPTURED)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let rows: Vec<ChargeRow> = sqlx::query_as(
        "SELECT key, method, answer, decline_code, due_at, approved,
             EXISTS (SELECT FROM refund WHERE refund.intent = charge.intent) AS is_refunded,
             (SELECT charge_key FROM intent WHERE intent.id = charge.intent) AS captured_by
         FROM charge WHERE key = ANY($1)",
    )
    .bind(keys)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(standing).collect())
}

fn standing(row: ChargeRow) -> (String, Standing) {
    let standing = match (row.answer.as_deref(), row.decline_code) {
        // An intent whose money has gone back is closed, as a voided one is.
        (Some("captured"), _) if row.is_refunded => Standing::Answered(Outcome::Voided),
        (Some("captured"), _) => Standing::Answered(Outcome::Approved),
        (Some("voided"), _) => Standing::Answered(Outcome::Voided),
        (Some(_), Some(code)) if code == ALREADY_CAPTURED && row.is_refunded => {
            Standing::Answered(Outcome::Voided)
        }
        (Some(_), Some(code)) if code == ALREADY_CAPTURED => {
            Standing::Answered(captured_by(row.captured_by.as_deref()))
        }
        (Some(_), Some(code)) => Standing::Answered(Outcome::Declined(decline(code))),
        (None, _) if row.approved == Some(false) => Standing::Unapproved(row.due_at),
        (None, _) if row.method == EXECUTES_LATE => Standing::Answered(Outcome::Pending),
        (Some(_), None) | (None, _) => Standing::Due(row.due_at),
    };
    (row.key, standing)
}

fn captured_by(key: Option<&str>) -> Outcome {
    Outcome::AlreadyCaptured { by: key.and_then(attempt_of) }
}

/// Closes the intents for good; returns how each of them ended, in their order.
pub(super) async fn void(
    pool: &Pool,
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
    .await?;
    let fates: Vec<(Uuid, Option<String>)> = sqlx::query_as(
        "SELECT id, CASE WHEN charge_key IS NULL
                              OR EXISTS (SELECT FROM refund WHERE refund.intent = intent.id)
                         THEN NULL ELSE charge_key END
         FROM intent WHERE id = ANY($1)",
    )
    .bind(&ids)
    .fetch_all(pool)
    .await?;
    let fates: HashMap<Uuid, Option<String>> = fates.into_iter().collect();
    let outcome = |id| match fates.get(id) {
        Some(Some(key)) => captured_by(Some(key)),
        Some(None) => Outcome::Voided,
        None => Outcome::Unknown,
    };
    Ok(ids.iter().map(outcome).collect())
}

/// The keys of the intent's charges that were captured.
pub(super) async fn captures(pool: &Pool, intent: BookingId) -> Result<Vec<String>, StoreError> {
    let keys = "SELECT key FROM charge WHERE intent = $1 AND answer = 'captured'";
    Ok(sqlx::query_scalar(keys).bind(intent.0).fetch_all(pool).await?)
}

/// Answers up to 256 charges that are due and that nobody has asked about since.
pub(super) async fn settle_due(pool: &Pool, now: Timestamp) -> Result<(), StoreError> {
    let due = "SELECT key FROM charge WHERE answer IS NULL AND due_at <= $1 LIMIT 256";
    let due: Vec<String> = sqlx::query_scalar(due).bind(now).fetch_all(pool).await?;
    if !due.is_empty() {
        settle(pool, &due.iter().map(String::as_str).collect::<Vec<_>>(), now).await?;
    }
    Ok(())
}
