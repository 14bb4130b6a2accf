//! Messages wait in the service's own schema, in the transaction that caused them, until the
//! broker has them. Source: <https://microservices.io/patterns/data/transactional-outbox.html>.
//!
//! Guarantees: what is committed is sent at least once, what is rolled back never; messages of one
//! key that are inserted under their aggregate's row lock are sent in the order of the commits.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use karcis_contracts::Message;
use karcis_database::{Connection, Pool};
use karcis_process::trace;
use tokio::sync::Notify;
use uuid::Uuid;

/// A message that is to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    topic: &'static str,
    key: Uuid,
    kind: &'static str,
    correlation: Option<Uuid>,
    attempt: i32,
    trace: Option<String>,
    body: Vec<u8>,
}

impl Outgoing {
    /// The message, sent for the first time. It takes the running task's trace, so call this in the
    /// task that handles the request or batch, not in a batcher's.
    pub fn new<M: Message>(message: &M) -> Self {
        let correlation = message.correlation();
        Self {
            topic: M::TOPIC,
            key: message.key(),
            kind: message.kind(),
            correlation,
            attempt: 1,
            trace: trace::header(&trace::of(correlation)),
            body: message.body().expect("structs of strings and numbers are always JSON"),
        }
    }

    /// The same message sent again, for the `attempt`th time (the first is 1).
    pub fn attempt(self, attempt: i32) -> Self {
        Self { attempt, ..self }
    }
}

/// A service's outbox, table `outbox` of its schema.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pool: Pool,
    pub(crate) source: &'static str,
    pub(crate) signal: Notify,
    pub(crate) state: Mutex<OutboxState>,
}

/// How far the outbox is behind. It is measured each second, never for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutboxState {
    /// Messages waiting, counted up to 100,000.
    pub rows: u64,
    /// How long the oldest has waited.
    pub oldest: Duration,
}

impl OutboxState {
    /// Beyond 10,000 rows or 60 s new work is refused: its answers would come too late for buyers.
    pub fn is_behind(&self) -> bool {
        self.rows > 10_000 || self.oldest > Duration::from_secs(60)
    }
}

const INSERT: &str = "
    INSERT INTO outbox (topic, key, kind, correlation, attempt, trace, body)
    SELECT topic, key, kind, correlation, attempt, trace, body
    FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::integer[], $6::text[],
                $7::bytea[])
        WITH ORDINALITY AS message (topic, key, kind, correlation, attempt, trace, body, place)
    ORDER BY place";

impl Outbox {
    /// `source` is the service's name, the messages' `ce_source`.
    pub fn new(pool: Pool, source: &'static str) -> Self {
        let state = Mutex::default();
        Self { shared: Arc::new(Shared { pool, source, signal: Notify::new(), state }) }
    }

    /// Writes the messages, in their order, in the caller's transaction. Call [`Self::notify`] after
    /// its commit.
    pub async fn insert(
        &self,
        transaction: &mut Connection,
        messages: &[Outgoing],
    ) -> Result<(), sqlx::Error> {
        if messages.is_empty() {
            return Ok(());
        }
        sqlx::query(INSERT)
            .bind(messages.iter().map(|message| message.topic).collect::<Vec<_>>())
            .bind(messages.iter().map(|message| message.key).collect::<Vec<_>>())
            .bind(messages.iter().map(|message| message.kind).collect::<Vec<_>>())
            .bind(messages.iter().map(|message| message.correlation).collect::<Vec<_>>())
            .bind(messages.iter().map(|message| message.attempt).collect::<Vec<_>>())
            .bind(messages.iter().map(|message| message.trace.as_deref()).collect::<Vec<_>>())
            .bind(messages.iter().map(|message| message.body.as_slice()).collect::<Vec<_>>())
            .execute(transaction)
            .await?;
        Ok(())
    }

    /// Tells the relay that there is something to send.
    pub fn notify(&self) {
        self.shared.signal.notify_one();
    }

    /// How far it was behind a second ago at most.
    pub fn state(&self) -> OutboxState {
        *self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
