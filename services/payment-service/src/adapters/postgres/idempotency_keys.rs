//! Buyers' idempotency keys: which changes have theirs, and how their requests were answered.

use std::collections::HashSet;

use karcis_database::{Connection, IdempotencyKeys, KeyUse, Pool, RequestKey, StoreError};
use karcis_kernel::BookingId;

use crate::application::Change;

/// The table, whose keys name the attempt that they started.
pub(super) const KEYS: IdempotencyKeys =
    IdempotencyKeys { subject: "attempt_id", used_at: "used_at" };

/// Takes the changes' keys; returns the bookings of changes whose key another request has.
pub(super) async fn take_keys(
    transaction: &mut Connection,
    changes: &[&Change],
) -> Result<Vec<BookingId>, StoreError> {
    let uses: Vec<&KeyUse> = changes.iter().flat_map(|change| &change.keys).collect();
    let taken: HashSet<&KeyUse> = KEYS.take(transaction, &uses).await?;
    let missed = changes.iter().filter(|it| !it.keys.iter().all(|key| taken.contains(key)));
    Ok(missed.map(|change| change.after.booking_id()).collect())
}

/// Whether the request under `key` was answered while its attempt had no outcome.
pub(super) async fn answered_processing(pool: &Pool, key: &RequestKey) -> Result<bool, StoreError> {
    let answered = sqlx::query_scalar(
        "SELECT answered_processing FROM idempotency_key WHERE user_id = $1 AND key = $2",
    )
    .bind(key.user_id.0)
    .bind(&key.key)
    .fetch_optional(pool)
    .await?;
    Ok(answered.unwrap_or_default())
}

/// Records that the request was answered while its attempt had no outcome.
pub(super) async fn mark_answered_processing(
    pool: &Pool,
    key: &RequestKey,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE idempotency_key SET answered_processing = true WHERE user_id = $1 AND key = $2",
    )
    .bind(key.user_id.0)
    .bind(&key.key)
    .execute(pool)
    .await?;
    Ok(())
}
