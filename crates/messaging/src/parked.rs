//! Messages of the outbox that the broker never takes are parked in a table of their own, so that nothing
//! waits for them.
//!
//! Guarantees: a message is in the outbox or parked, never both and never lost; what follows a parked
//! message goes on, also of its own key: commands are sent again until they are answered, and facts are
//! replied again to a repeated command.

use chrono::{DateTime, Utc};
use karcis_database::Pool;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Outbox;

/// A message that the broker did not take.
#[derive(Clone, Debug, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct ParkedMessage {
    /// Its CloudEvents id.
    pub id: Uuid,
    /// Without a deployment's prefix.
    pub topic: String,
    pub key: Uuid,
    pub kind: String,
    /// The booking it belongs to.
    pub correlation: Option<Uuid>,
    pub attempt: i32,
    /// As text, its other bytes escaped.
    pub body: String,
    /// Why the broker did not take it.
    pub error: String,
    pub created_at: DateTime<Utc>,
    pub parked_at: DateTime<Utc>,
}

/// Which messages of the outbox are parked.
pub(crate) enum Unsendable<'a> {
    /// The row with this id.
    Row(i64),
    /// All of this topic.
    Topic(&'a str),
}

/// Moves them out of the outbox; returns how many.
pub(crate) async fn park(
    connection: &mut PgConnection,
    unsendable: &Unsendable<'_>,
    error: &str,
) -> Result<u64, sqlx::Error> {
    const PARK: &str = "
        WITH parked AS (
            DELETE FROM outbox WHERE id = $1 OR topic = $2
            RETURNING message_id, topic, key, kind, correlation, attempt, trace, body, created_at
        )
        INSERT INTO parked_message
            (id, topic, key, kind, correlation, attempt, trace, body, created_at, error)
        SELECT message_id, topic, key, kind, correlation, attempt, trace, body, created_at, $3
        FROM parked";
    let (id, topic) = match unsendable {
        Unsendable::Row(id) => (Some(*id), None),
        Unsendable::Topic(topic) => (None, Some(*topic)),
    };
    let parked = sqlx::query(PARK).bind(id).bind(topic).bind(error).execute(connection).await?;
    Ok(parked.rows_affected())
}

/// What an operator does with a service's parked messages.
#[derive(Clone, Debug)]
pub struct ParkedMessages {
    pool: Pool,
    outbox: Outbox,
}

impl ParkedMessages {
    /// The parked messages in the schema of `pool`, sent again through `outbox` of the same schema.
    pub fn new(pool: Pool, outbox: Outbox) -> Self {
        Self { pool, outbox }
    }

    /// Up to `limit` parked messages by the time they were parked, after the one with this time and id.
    pub async fn list(
        &self,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<ParkedMessage>, sqlx::Error> {
        const LIST: &str = "
            SELECT id, topic, key, kind, correlation, attempt, encode(body, 'escape') AS body, error,
                   created_at, parked_at
            FROM parked_message
            WHERE $1::timestamptz IS NULL OR (parked_at, id) > ($1, $2)
            ORDER BY parked_at, id LIMIT $3";
        let (at, id) = after.unzip();
        sqlx::query_as(LIST).bind(at).bind(id).bind(limit).fetch_all(&self.pool).await
    }

    /// Moves it back to the outbox, with the id it had. `false` if none has this id.
    pub async fn resend(&self, id: Uuid) -> Result<bool, sqlx::Error> {
        const RESEND: &str = "
            WITH resent AS (
                DELETE FROM parked_message WHERE id = $1
                RETURNING id, topic, key, kind, correlation, attempt, trace, body
            )
            INSERT INTO outbox (message_id, topic, key, kind, correlation, attempt, trace, body)
            SELECT id, topic, key, kind, correlation, attempt, trace, body FROM resent";
        let resent = sqlx::query(RESEND).bind(id).execute(&self.pool).await?;
        self.outbox.notify();
        Ok(resent.rows_affected() == 1)
    }

    /// Deletes it. `false` if none has this id.
    pub async fn discard(&self, id: Uuid) -> Result<bool, sqlx::Error> {
        let discarded = sqlx::query("DELETE FROM parked_message WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(discarded.rows_affected() == 1)
    }
}
