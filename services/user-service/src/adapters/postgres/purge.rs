//! Deletes rows that are not needed any more.

use karcis_database::{Pool, StoreError};
use karcis_kernel::Timestamp;

/// How many rows a statement deletes at most.
const ROWS_AT_A_TIME: u16 = 5_000;
/// How many times so many rows of a table are deleted before the next table.
const ROUNDS: u32 = 20;

/// A notification is kept for longer than the broker keeps the message it came from: otherwise reading
/// that message again would notify the buyer again.
const DELETIONS: [&str; 7] = [
    "DELETE FROM session WHERE session_id IN
        (SELECT session_id FROM session WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM refresh_token WHERE token_hash IN
        (SELECT token_hash FROM refresh_token WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM failed_login WHERE subject IN
        (SELECT subject FROM failed_login WHERE ends_at < $1 LIMIT $2)",
    "DELETE FROM known_peer WHERE (user_id, peer) IN
        (SELECT user_id, peer FROM known_peer WHERE last_used_at < $1 - interval '90 days' LIMIT $2)",
    "DELETE FROM mailed_token WHERE token_hash IN
        (SELECT token_hash FROM mailed_token WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM mail_count WHERE address IN
        (SELECT address FROM mail_count WHERE ends_at < $1 LIMIT $2)",
    "DELETE FROM notice WHERE (booking_id, kind) IN
        (SELECT booking_id, kind FROM notice WHERE noted_at < $1 - interval '30 days' LIMIT $2)",
];

/// Deletes expired sessions and tokens, failed log-ins and counts of e-mails of past windows, network
/// addresses that were not used for 90 days and old notifications: up to 100,000 rows of each table.
pub(crate) async fn purge(pool: &Pool, at: Timestamp) -> Result<(), StoreError> {
    for deletion in DELETIONS {
        for _ in 0..ROUNDS {
            let limit = i64::from(ROWS_AT_A_TIME);
            let done = sqlx::query(deletion).bind(at).bind(limit).execute(pool).await?;
            if done.rows_affected() < u64::from(ROWS_AT_A_TIME) {
                break;
            }
        }
    }
    Ok(())
}
