//! Buyers' idempotency keys, and what they were used for.

use std::collections::HashSet;

use karcis_kernel::{BookingId, Timestamp, UserId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    application::ports::{Change, KeyUse, RequestKey},
    domain::AttemptId,
};

#[derive(sqlx::FromRow)]
struct KeyRow {
    user_id: Uuid,
    key: String,
    fingerprint: Vec<u8>,
    attempt_id: Option<Uuid>,
    answered_processing: bool,
    used_at: Timestamp,
}

/// What these keys were used for after `since`.
pub(super) async fn keys(
    pool: &PgPool,
    keys: &[RequestKey],
    since: Timestamp,
) -> Result<Vec<KeyUse>, sqlx::Error> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        // OFFSET 0 keeps a planner without statistics on the index.
        "SELECT k.user_id, k.key, k.fingerprint, k.attempt_id, k.answered_processing, k.used_at
         FROM UNNEST($1::uuid[], $2::text[]) AS asked (user_id, key)
         CROSS JOIN LATERAL (
             SELECT * FROM idempotency_key k
             WHERE k.user_id = asked.user_id AND k.key = asked.key OFFSET 0
         ) AS k
         WHERE k.used_at > $3",
    )
    .bind(keys.iter().map(|key| key.user_id.0).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>())
    .bind(since)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(key_use).collect())
}

fn key_use(row: KeyRow) -> KeyUse {
    KeyUse {
        key: RequestKey { user_id: UserId(row.user_id), key: row.key },
        fingerprint: row.fingerprint,
        attempt: row.attempt_id.map(AttemptId),
        answered_processing: row.answered_processing,
        at: row.used_at,
    }
}

/// Takes the changes' keys; returns the bookings of changes whose key is taken by another request.
pub(super) async fn take_keys(
    transaction: &mut PgConnection,
    changes: &[&Change],
) -> Result<Vec<BookingId>, sqlx::Error> {
    let mut keys: Vec<&KeyUse> = changes.iter().flat_map(|change| &change.keys).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    let taken: Vec<(Uuid, String)> = sqlx::query_as(
        "INSERT INTO idempotency_key AS k (user_id, key, fingerprint, attempt_id, used_at)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::timestamptz[])
         ON CONFLICT (user_id, key) DO UPDATE
         SET fingerprint = excluded.fingerprint, attempt_id = excluded.attempt_id,
             answered_processing = false, used_at = excluded.used_at
         WHERE k.used_at <= excluded.used_at - interval '24 hours'
         RETURNING user_id, key",
    )
    .bind(keys.iter().map(|used| used.key.user_id.0).collect::<Vec<_>>())
    .bind(keys.iter().map(|used| used.key.key.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|used| used.fingerprint.as_slice()).collect::<Vec<_>>())
    .bind(keys.iter().map(|used| used.attempt.map(|id| id.0)).collect::<Vec<_>>())
    .bind(keys.iter().map(|used| used.at).collect::<Vec<_>>())
    .fetch_all(transaction)
    .await?;
    let taken: HashSet<(Uuid, String)> = taken.into_iter().collect();
    let is_taken = |used: &KeyUse| taken.contains(&(used.key.user_id.0, used.key.key.clone()));
    let missed = changes.iter().filter(|change| !change.keys.iter().all(is_taken));
    Ok(missed.map(|change| change.after.booking_id()).collect())
}

/// Records that the request under `key` was answered while its attempt had no outcome.
pub(super) async fn answered_processing(
    pool: &PgPool,
    key: &RequestKey,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE idempotency_key SET answered_processing = true WHERE user_id = $1 AND key = $2",
    )
    .bind(key.user_id.0)
    .bind(&key.key)
    .execute(pool)
    .await
    .map(drop)
}

/// Deletes the keys used before `since`.
pub(super) async fn purge(pool: &PgPool, since: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM idempotency_key WHERE used_at < $1")
        .bind(since)
        .execute(pool)
        .await
        .map(drop)
}
