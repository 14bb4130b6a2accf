//! What waits in an outbox, as operators see it.

use chrono::{DateTime, Utc};
use karcis_database::{Pool, StoreError};

/// The messages of a topic that wait in the outbox.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WaitingMessages {
    pub topic: String,
    /// Among the 100,000 that were added first.
    pub messages: i64,
    /// When the oldest was added.
    pub oldest_at: DateTime<Utc>,
    /// How many seconds ago that was, by the database's clock.
    pub oldest_age_s: i64,
}

/// What waits in the outbox of the schema of `pool`, the topic whose message has waited longest first.
pub async fn waiting_messages(pool: &Pool) -> Result<Vec<WaitingMessages>, StoreError> {
    let found = sqlx::query_as(
        "SELECT topic, count(*) AS messages, min(created_at) AS oldest_at,
             extract(epoch FROM clock_timestamp() - min(created_at))::bigint AS oldest_age_s
         FROM (SELECT topic, created_at FROM outbox ORDER BY id LIMIT 100000) AS first
         GROUP BY topic ORDER BY oldest_at, topic",
    );
    Ok(found.fetch_all(pool).await?)
}
