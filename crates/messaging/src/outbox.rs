//! Messages wait in the service's own schema, in the transaction that caused them, until the
//! broker has them. Source: <https://microservices.io/patterns/data/transactional-outbox.html>.

use std::time::Duration;

use karcis_contracts::Message;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::Kafka;

/// A message on its way out.
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
    /// The message as the running task sends it, for the first time: takes the task's trace, so
    /// call it in the task that handles the request or batch, not in a lane's.
    pub fn new(_message: &impl Message) -> Self {
        todo!()
    }

    /// The same message sent again, for the `attempt`th time (the first is 1).
    pub fn attempt(self, attempt: i32) -> Self {
        Self { attempt, ..self }
    }
}

/// A service's outbox, table `outbox` of its schema.
#[derive(Clone)]
pub struct Outbox {
    // the pool, the wake-up of the relay, the watched state
}

/// How far the outbox is behind, looked at in passing (never a query per request).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutboxState {
    /// Messages waiting.
    pub rows: u64,
    /// How long the oldest has waited.
    pub oldest: Duration,
}

impl OutboxState {
    /// Past 10,000 rows or 60 s new work is refused, lest the backlog outlive its buyers.
    pub fn is_behind(&self) -> bool {
        self.rows > 10_000 || self.oldest > Duration::from_secs(60)
    }
}

impl Outbox {
    /// `source` is the service's name, the messages' `ce_source`.
    pub fn new(_pool: PgPool, _source: &'static str) -> Self {
        todo!()
    }

    /// Writes the messages, in their order, in the caller's transaction. Call [`Self::wake`] after
    /// its commit.
    pub async fn insert(
        &self,
        _transaction: &mut PgConnection,
        _messages: &[Outgoing],
    ) -> Result<(), sqlx::Error> {
        todo!()
    }

    /// Tells the relay that there is something to send.
    pub fn wake(&self) {
        todo!()
    }

    /// How far it is behind.
    pub fn state(&self) -> OutboxState {
        todo!()
    }

    /// Sends what is there, in order, for as long as this instance owns the outbox; returns when
    /// `stopping`. Reconnects by itself.
    pub async fn relay(
        self,
        _kafka: Kafka,
        _stopping: tokio_util::sync::CancellationToken,
    ) -> Result<(), std::convert::Infallible> {
        todo!()
    }
}
