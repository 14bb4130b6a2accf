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
use karcis_process::trace;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Kafka, metrics, relay};

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
    /// call it in the task that handles the request or batch, not in a batcher's.
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
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) source: &'static str,
    pub(crate) signal: Notify,
    state: Mutex<OutboxState>,
}

/// How far the outbox is behind, looked at in passing (never a query per request).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutboxState {
    /// Messages waiting, counted up to 100,000.
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

const INSERT: &str = "
    INSERT INTO outbox (topic, key, kind, correlation, attempt, trace, body)
    SELECT topic, key, kind, correlation, attempt, trace, body
    FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::integer[], $6::text[],
                $7::bytea[])
        WITH ORDINALITY AS message (topic, key, kind, correlation, attempt, trace, body, place)
    ORDER BY place";

impl Outbox {
    /// `source` is the service's name, the messages' `ce_source`.
    pub fn new(pool: PgPool, source: &'static str) -> Self {
        let state = Mutex::default();
        Self { shared: Arc::new(Shared { pool, source, signal: Notify::new(), state }) }
    }

    /// Writes the messages, in their order, in the caller's transaction. Call [`Self::notify`] after
    /// its commit.
    pub async fn insert(
        &self,
        transaction: &mut PgConnection,
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

    /// How far it is behind, as of the last second.
    pub fn state(&self) -> OutboxState {
        *self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what is there, in order, for as long as this instance owns the outbox; returns when
    /// `stopping`. Reconnects by itself. Every instance runs it: the owner sends, all keep
    /// [`Self::state`] fresh.
    pub async fn relay(
        self,
        kafka: Kafka,
        stopping: CancellationToken,
    ) -> Result<(), std::convert::Infallible> {
        metrics::describe();
        tokio::join!(
            relay::keep_sending(&self.shared, &kafka, &stopping),
            self.shared.watch(&stopping),
        );
        Ok(())
    }
}

impl Shared {
    /// Looks each second how much waits, and at what else an operator wants to know.
    async fn watch(&self, stopping: &CancellationToken) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = seconds.tick() => {}
            }
            let (state, dead_letters) = match self.measure().await {
                Ok(measured) => measured,
                Err(error) => {
                    // The last known state stays: whoever asks meets the same error on its own.
                    tracing::debug!(%error, "the outbox cannot be measured");
                    continue;
                }
            };
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
            metrics::watch(state, dead_letters, &self.pool);
        }
    }

    /// The outbox's state, and how many dead letters there are.
    async fn measure(&self) -> Result<(OutboxState, i64), sqlx::Error> {
        const MEASURE: &str = "
            SELECT count(*),
                   COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - min(created_at)), 0)::float8,
                   (SELECT count(*) FROM (SELECT FROM dead_letter LIMIT 10000) AS kept)
            FROM (SELECT created_at FROM outbox ORDER BY id LIMIT 100000) AS waiting";
        let mut transaction = self.pool.begin().await?;
        // By the index, lest the scan visit every page that sent rows left behind.
        sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *transaction).await?;
        let (rows, oldest, dead_letters): (i64, f64, i64) =
            sqlx::query_as(MEASURE).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        let oldest = Duration::try_from_secs_f64(oldest).unwrap_or_default();
        Ok((OutboxState { rows: rows.unsigned_abs(), oldest }, dead_letters))
    }
}
