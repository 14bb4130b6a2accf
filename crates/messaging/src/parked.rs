//! Messages of the outbox that the broker never takes are parked in a table of their own, so that nothing
//! waits for them.
//!
//! Guarantees: a message is in the outbox or parked, never both and never lost; what follows a parked
//! message goes on, also of its own key: commands are sent again until they are answered, and facts are
//! replied again to a repeated command.

use chrono::{DateTime, Utc};
use karcis_database::{ByOperator, Pool, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Outbox,
    acts::{Act, Acted},
    secrets::SECRET_TOPICS,
};

/// A message that the broker did not take.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
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
    pub trace: Option<String>,
    /// Its first bytes; `None` where its topic is nobody's to see.
    pub body: Option<Vec<u8>>,
    /// How many bytes the whole body has.
    pub body_bytes: i32,
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

/// Moves them out of the outbox; returns how many. One that is parked already, as it was sent again from a dead
/// letter, stays once.
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
        SELECT DISTINCT ON (message_id)
            message_id, topic, key, kind, correlation, attempt, trace, body, created_at, $3
        FROM parked
        ON CONFLICT (id) DO UPDATE SET error = excluded.error, parked_at = now()";
    let (id, topic) = match unsendable {
        Unsendable::Row(id) => (Some(*id), None),
        Unsendable::Topic(topic) => (None, Some(*topic)),
    };
    let parked = sqlx::query(PARK).bind(id).bind(topic).bind(error).execute(connection).await?;
    Ok(parked.rows_affected())
}

/// The parked messages, each with the first $1 bytes of its body unless its topic is one of $2, by a condition.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, topic, key, kind, correlation, attempt, trace, error, created_at, parked_at,
                 octet_length(body) AS body_bytes,
                 CASE WHEN topic <> ALL($2) THEN substring(body FROM 1 FOR $1) END AS body
             FROM parked_message ",
            $rest
        )
    };
}

const RESEND: Act = Act {
    action: "resend_parked_message",
    take: "
        WITH resent AS (
            DELETE FROM parked_message WHERE id = $1
            RETURNING id, topic, key, kind, correlation, attempt, trace, body
        )
        INSERT INTO outbox (message_id, topic, key, kind, correlation, attempt, trace, body)
        SELECT id, topic, key, kind, correlation, attempt, trace, body FROM resent
        RETURNING topic, kind",
    is_there: IS_THERE,
};

const DISCARD: Act = Act {
    action: "discard_parked_message",
    take: "DELETE FROM parked_message WHERE id = $1 RETURNING topic, kind",
    is_there: IS_THERE,
};

const IS_THERE: &str = "SELECT EXISTS (SELECT FROM parked_message WHERE id = $1)";

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

    /// Up to `limit` parked messages, of one booking or all, those that were parked last first, from the
    /// one on that follows `after`; each with so many bytes of its body.
    pub async fn list(
        &self,
        booking: Option<Uuid>,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: u16,
        body_bytes: u16,
    ) -> Result<Vec<ParkedMessage>, StoreError> {
        let (at, id) = after.unzip();
        let found = sqlx::query_as(select!(
            "WHERE ($3::timestamptz IS NULL OR (parked_at, id) < ($3, $4))
               AND ($6::uuid IS NULL OR correlation = $6)
             ORDER BY parked_at DESC, id DESC LIMIT $5"
        ))
        .bind(i32::from(body_bytes))
        .bind(&SECRET_TOPICS[..])
        .bind(at)
        .bind(id)
        .bind(i64::from(limit))
        .bind(booking);
        Ok(found.fetch_all(&self.pool).await?)
    }

    /// The one with this id, with so many bytes of its body.
    pub async fn find(
        &self,
        id: Uuid,
        body_bytes: u16,
    ) -> Result<Option<ParkedMessage>, StoreError> {
        let found = sqlx::query_as(select!("WHERE id = $3"))
            .bind(i32::from(body_bytes))
            .bind(&SECRET_TOPICS[..])
            .bind(id);
        Ok(found.fetch_optional(&self.pool).await?)
    }

    /// Moves it back to the outbox, with the id it had.
    pub async fn resend(&self, id: Uuid, by: &ByOperator) -> Result<Acted, StoreError> {
        let acted = RESEND.run(&self.pool, id, by).await?;
        self.outbox.notify();
        Ok(acted)
    }

    /// Deletes it.
    pub async fn discard(&self, id: Uuid, by: &ByOperator) -> Result<Acted, StoreError> {
        DISCARD.run(&self.pool, id, by).await
    }
}
