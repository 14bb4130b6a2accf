//! Messages no retry can heal are kept aside, so that nothing waits for them.
//!
//! Guarantees: a message stands here once, however often it came; redriving one puts it back into
//! the queue it came from, in the transaction that removes it here.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::Outbox;

/// A message that its service could not handle.
#[derive(Clone, Debug, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct DeadLetter {
    /// Its id here.
    pub id: Uuid,
    /// The topic, without a deployment's prefix.
    pub topic: String,
    /// The topic's partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Its key, as far as it is text.
    pub key: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// All its headers.
    pub headers: serde_json::Value,
    /// Its body, as far as it is text.
    pub body: String,
    /// Why it could not be handled, last time.
    pub error: String,
    /// When it first failed.
    pub first_seen_at: DateTime<Utc>,
    /// When it last failed.
    pub last_seen_at: DateTime<Utc>,
}

/// A message as it came, on its way to the table.
pub(crate) struct DeadMessage {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) kind: Option<String>,
    pub(crate) headers: serde_json::Value,
    pub(crate) body: Vec<u8>,
    pub(crate) error: String,
}

/// Keeps the message. One that stands here is overwritten: after a topic was wiped another message
/// may have its place.
pub(crate) async fn keep(pool: &PgPool, message: &DeadMessage) -> Result<(), sqlx::Error> {
    const KEEP: &str = r#"
        INSERT INTO dead_letter (topic, "partition", "offset", key, kind, headers, body, error)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT ON CONSTRAINT dead_letter_once DO UPDATE
        SET key = EXCLUDED.key, kind = EXCLUDED.kind, headers = EXCLUDED.headers,
            body = EXCLUDED.body, error = EXCLUDED.error, last_seen_at = now()"#;
    sqlx::query(KEEP)
        .bind(&message.topic)
        .bind(message.partition)
        .bind(message.offset)
        .bind(&message.key)
        .bind(&message.kind)
        .bind(&message.headers)
        .bind(&message.body)
        .bind(&message.error)
        .execute(pool)
        .await?;
    Ok(())
}

/// What an operator does with a service's dead letters.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    pool: PgPool,
    outbox: Outbox,
}

impl DeadLetters {
    /// Those of the schema of `pool`; redriven through `outbox` of the same schema.
    pub fn new(pool: PgPool, outbox: Outbox) -> Self {
        Self { pool, outbox }
    }

    /// Up to `limit` of them, those that failed first at the front, after the one with this time
    /// and id.
    pub async fn list(
        &self,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<DeadLetter>, sqlx::Error> {
        const LIST: &str = r#"
            SELECT id, topic, "partition", "offset", kind, headers, error, first_seen_at,
                   last_seen_at, encode(key, 'escape') AS key, encode(body, 'escape') AS body
            FROM dead_letter
            WHERE $1::timestamptz IS NULL OR (first_seen_at, id) > ($1, $2)
            ORDER BY first_seen_at, id LIMIT $3"#;
        let (at, id) = after.unzip();
        sqlx::query_as(LIST).bind(at).bind(id).bind(limit).fetch_all(&self.pool).await
    }

    /// Sends it to its topic again; `false` if there is none with this id, or it has no type or no
    /// key that the topic's readers could understand: then only discarding is left.
    pub async fn redrive(&self, id: Uuid) -> Result<bool, sqlx::Error> {
        const REDRIVE: &str = r"
            WITH redriven AS (
                DELETE FROM dead_letter
                WHERE id = $1 AND kind IS NOT NULL
                    AND encode(key, 'escape') ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                RETURNING topic, encode(key, 'escape')::uuid AS key, kind, body,
                    headers ->> 'ce_correlationid' AS booking, headers ->> 'traceparent' AS trace
            )
            INSERT INTO outbox (topic, key, kind, correlation, trace, body)
            SELECT topic, key, kind,
                CASE WHEN booking ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                    THEN booking::uuid END,
                trace, body
            FROM redriven";
        let redriven = sqlx::query(REDRIVE).bind(id).execute(&self.pool).await?;
        self.outbox.notify();
        Ok(redriven.rows_affected() == 1)
    }

    /// Forgets it; `false` if there is none with this id.
    pub async fn discard(&self, id: Uuid) -> Result<bool, sqlx::Error> {
        let discarded = sqlx::query("DELETE FROM dead_letter WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(discarded.rows_affected() == 1)
    }
}
