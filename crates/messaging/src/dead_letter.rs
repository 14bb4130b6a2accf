//! Messages that can never be handled are stored as dead letters, so that nothing waits for them.
//!
//! Guarantees: a message is stored once, however often it comes and is sent; redriving one puts it back into its
//! topic, in the transaction that removes the dead letter.

use chrono::{DateTime, Utc};
use karcis_database::{ByOperator, Pool, StoreError};
use uuid::Uuid;

use crate::{
    Outbox,
    acts::{Act, Acted},
    secrets::{SECRET_TOPICS, shown},
};

/// A message that its service could not handle.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct DeadLetter {
    pub id: Uuid,
    /// Without a deployment's prefix.
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub kind: Option<String>,
    pub headers: serde_json::Value,
    /// Its first bytes; `None` where its topic is nobody's to see.
    pub body: Option<Vec<u8>>,
    /// How many bytes the whole body has.
    pub body_bytes: i32,
    /// Why it could not be handled the last time.
    pub error: String,
    /// Whether it has what it takes to be sent again.
    pub can_be_redriven: bool,
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

/// Whether a text is an id, as a pattern in SQL.
macro_rules! is_id {
    () => {
        " ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"
    };
}

/// What it takes to be sent again: a type, and a key that the topic's readers understand.
macro_rules! redrivable {
    () => {
        concat!("kind IS NOT NULL AND COALESCE(encode(key, 'escape')", is_id!(), ", false)")
    };
}

/// The dead letters, each with the first $1 bytes of its body unless its topic is one of $2, by a condition.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            r#"SELECT id, topic, "partition", "offset", key, kind, headers, error, first_seen_at,
                   last_seen_at, octet_length(body) AS body_bytes,
                   CASE WHEN topic <> ALL($2) THEN substring(body FROM 1 FOR $1) END AS body, "#,
            redrivable!(),
            " AS can_be_redriven FROM dead_letter ",
            $rest
        )
    };
}

const REDRIVE: Act = Act {
    action: "redrive_dead_letter",
    take: concat!(
        "WITH redriven AS (
            DELETE FROM dead_letter WHERE id = $1 AND ",
        redrivable!(),
        "   RETURNING topic, encode(key, 'escape')::uuid AS key, kind, body,
                headers ->> 'ce_id' AS message, headers ->> 'ce_correlationid' AS booking,
                headers ->> 'ce_attempt' AS attempt, headers ->> 'traceparent' AS trace
        )
        INSERT INTO outbox (message_id, topic, key, kind, correlation, attempt, trace, body)
        SELECT CASE WHEN message",
        is_id!(),
        " THEN message::uuid ELSE gen_random_uuid() END, topic, key, kind, CASE WHEN booking",
        is_id!(),
        " THEN booking::uuid END,
            CASE WHEN attempt ~ '^[0-9]{1,9}$' THEN attempt::integer ELSE 1 END, trace, body
        FROM redriven RETURNING topic, kind"
    ),
    is_there: IS_THERE,
};

const DISCARD: Act = Act {
    action: "discard_dead_letter",
    take: "DELETE FROM dead_letter WHERE id = $1 RETURNING topic, kind",
    is_there: IS_THERE,
};

const IS_THERE: &str = "SELECT EXISTS (SELECT FROM dead_letter WHERE id = $1)";

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

    /// Up to `limit` dead letters, of one booking or all, the newest first by the time of their first
    /// failure, from the one on that follows `after`; each with so many bytes of its body.
    pub async fn list(
        &self,
        booking: Option<Uuid>,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: u16,
        body_bytes: u16,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let (at, id) = after.unzip();
        let found: Vec<DeadLetter> = sqlx::query_as(select!(
            "WHERE ($3::timestamptz IS NULL OR (first_seen_at, id) < ($3, $4))
               AND ($6::uuid IS NULL OR headers ->> 'ce_correlationid' = $6::text)
             ORDER BY first_seen_at DESC, id DESC LIMIT $5"
        ))
        .bind(i32::from(body_bytes))
        .bind(&SECRET_TOPICS[..])
        .bind(at)
        .bind(id)
        .bind(i64::from(limit))
        .bind(booking)
        .fetch_all(&self.pool)
        .await?;
        Ok(found.into_iter().map(DeadLetter::shown).collect())
    }

    /// The one with this id, with so many bytes of its body.
    pub async fn find(&self, id: Uuid, body_bytes: u16) -> Result<Option<DeadLetter>, StoreError> {
        let found: Option<DeadLetter> = sqlx::query_as(select!("WHERE id = $3"))
            .bind(i32::from(body_bytes))
            .bind(&SECRET_TOPICS[..])
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.map(DeadLetter::shown))
    }

    /// Sends it to its topic again, with the id, key, type and trace that it had. `Impossible` if it has
    /// no type, or no key that the topic's readers understand: such a message can only be discarded.
    pub async fn redrive(&self, id: Uuid, by: &ByOperator) -> Result<Acted, StoreError> {
        let acted = REDRIVE.run(&self.pool, id, by).await?;
        self.outbox.notify();
        Ok(acted)
    }

    /// Deletes it.
    pub async fn discard(&self, id: Uuid, by: &ByOperator) -> Result<Acted, StoreError> {
        DISCARD.run(&self.pool, id, by).await
    }
}

impl DeadLetter {
    fn shown(self) -> Self {
        Self { error: shown(&self.topic, &self.error).into_owned(), ..self }
    }
}
