//! Messages that can never be handled are stored as dead letters, so that nothing waits for them.
//!
//! Guarantees: a message is stored once, however often it comes and is sent; redriving one puts it back into its
//! topic, in the transaction that removes the dead letter.

use chrono::{DateTime, Utc};
use karcis_database::Pool;
use uuid::Uuid;

use crate::Outbox;

/// A message that its service could not handle.
#[derive(Clone, Debug, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct DeadLetter {
    pub id: Uuid,
    /// Without a deployment's prefix.
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// As text, its other bytes escaped.
    pub key: Option<String>,
    pub kind: Option<String>,
    pub headers: serde_json::Value,
    /// As text, its other bytes escaped.
    pub body: String,
    /// Why it could not be handled the last time.
    pub error: String,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
}

/// A message as it came, on its way to the table.
pub(crate) struct NewDeadLetter {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) kind: Option<String>,
    pub(crate) headers: serde_json::Value,
    pub(crate) body: Vec<u8>,
    pub(crate) error: String,
}

/// Stores the message. One with the same content is updated: its sender sends it again until it is
/// answered. So is one at the same offset: after a topic was wiped, another message may have that
/// offset.
pub(crate) async fn store(pool: &Pool, message: &NewDeadLetter) -> Result<(), sqlx::Error> {
    const STORE: &str = r#"
        WITH updated AS (
            UPDATE dead_letter
            SET "partition" = $2, "offset" = $3, key = $4, kind = $5, headers = $6, body = $7,
                error = $8, last_seen_at = now()
            WHERE id = (
                SELECT id FROM (
                    SELECT id, 1 AS place FROM dead_letter
                    WHERE topic = $1 AND "partition" = $2 AND "offset" = $3
                    UNION ALL
                    SELECT id, 2 FROM dead_letter
                    WHERE topic = $1 AND md5(body) = md5($7::bytea) AND body = $7
                        AND key IS NOT DISTINCT FROM $4 AND kind IS NOT DISTINCT FROM $5
                ) AS same ORDER BY place LIMIT 1)
            RETURNING id)
        INSERT INTO dead_letter (topic, "partition", "offset", key, kind, headers, body, error)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS (SELECT FROM updated)"#;
    sqlx::query(STORE)
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
    pool: Pool,
    outbox: Outbox,
}

impl DeadLetters {
    /// The dead letters in the schema of `pool`, redriven through `outbox` of the same schema.
    pub fn new(pool: Pool, outbox: Outbox) -> Self {
        Self { pool, outbox }
    }

    /// Up to `limit` dead letters by the time of their first failure, after the one with this time and
    /// id.
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

    /// Sends it to its topic again. `false` if there is none with this id, or if it has no type or no
    /// key that the topic's readers understand: such a message can only be discarded.
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

    /// Deletes it. `false` if there is none with this id.
    pub async fn discard(&self, id: Uuid) -> Result<bool, sqlx::Error> {
        let discarded = sqlx::query("DELETE FROM dead_letter WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(discarded.rows_affected() == 1)
    }
}
