//! Deletes what nobody will ask for again.

use karcis_kernel::Timestamp;
use sqlx::PgPool;

use crate::application::ports::StoreError;

/// Each deletes up to 5,000 rows. A notice is kept for longer than a broker keeps the message it
/// came from, lest it be told again.
const DELETIONS: [&str; 4] = [
    "DELETE FROM session WHERE session_id IN
        (SELECT session_id FROM session WHERE expires_at < $1 LIMIT 5000)",
    "DELETE FROM refresh_token WHERE token_hash IN
        (SELECT token_hash FROM refresh_token WHERE expires_at < $1 LIMIT 5000)",
    "DELETE FROM failed_login WHERE subject IN
        (SELECT subject FROM failed_login WHERE ends_at < $1 LIMIT 5000)",
    "DELETE FROM notice WHERE (booking_id, kind) IN
        (SELECT booking_id, kind FROM notice WHERE noted_at < $1 - interval '30 days' LIMIT 5000)",
];

/// Deletes expired sessions and tokens, past failed log-ins and old notices.
pub async fn tidy(pool: &PgPool, at: Timestamp) -> Result<(), StoreError> {
    for deletion in DELETIONS {
        while sqlx::query(deletion).bind(at).execute(pool).await?.rows_affected() > 0 {}
    }
    Ok(())
}
