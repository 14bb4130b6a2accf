//! Messages wait in the service's own schema, in the transaction that caused them, until the
//! broker has them. Source: <https://microservices.io/patterns/data/transactional-outbox.html>.
//!
//! Guarantees: what is committed is sent at least once, what is rolled back never; messages of one
//! key that are inserted under their aggregate's row lock are sent in the order of the commits.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use karcis_contracts::Message;
use karcis_database::{Connection, Pool};
use karcis_process::trace;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::refusals::RefusedTopics;

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
    /// Known as long as the process lives: a relay may start again and again.
    refused: Mutex<RefusedTopics>,
    state: Mutex<OutboxState>,
    /// Messages that were added here, and those that were sent from here, since the start.
    added: AtomicUsize,
    sent: AtomicUsize,
    /// Both as they were when the state was measured.
    at_measure: Mutex<Counts>,
}

/// Messages that were added to an outbox by this instance, and sent by it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    added: usize,
    sent: usize,
}

impl Shared {
    /// The topics that the broker refuses.
    pub(crate) fn refused(&self) -> MutexGuard<'_, RefusedTopics> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many messages are no longer in the outbox.
    pub(crate) fn count_sent(&self, messages: usize) {
        self.sent.fetch_add(messages, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let (added, sent) = (&self.added, &self.sent);
        Counts { added: added.load(Ordering::Relaxed), sent: sent.load(Ordering::Relaxed) }
    }

    /// Notes the state that was measured between these two times. What was added or sent meanwhile may
    /// be in it or not: the outbox counts as longer rather than shorter than it is.
    pub(crate) fn measured(&self, state: OutboxState, before: Counts, after: Counts) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        let counts = Counts { added: before.added, sent: after.sent };
        *self.at_measure.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }
}

/// How far the outbox is behind, without the messages of topics that the broker refuses: nothing waits for
/// them. It is measured each second, never for a request.
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
        self.rows > MOST_ROWS || self.oldest > MOST_AGE
    }
}

const MOST_ROWS: u64 = 10_000;
const MOST_AGE: Duration = Duration::from_secs(60);
/// Bulk work has this part of both, so that it never makes buyers wait.
const BULK_PART: u32 = 10;
/// How long a topic has to be refused before its messages are parked. Who creates a topic again, or
/// changes rights, takes less.
const PARKED_AFTER: Duration = Duration::from_secs(60);

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
        Self::parking_after(pool, source, PARKED_AFTER)
    }

    /// The same, which parks the messages of a topic once the broker has refused it for this long in
    /// place of 60 s.
    pub fn parking_after(pool: Pool, source: &'static str, parked_after: Duration) -> Self {
        let shared = Shared {
            pool,
            source,
            signal: Notify::new(),
            refused: Mutex::new(RefusedTopics::new(parked_after)),
            state: Mutex::default(),
            added: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            at_measure: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
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
        self.shared.added.fetch_add(messages.len(), Ordering::Relaxed);
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

    /// How many messages bulk work (undoing a cancelled event's bookings, a storm of deadlines) may still
    /// add: none from a tenth of what [`OutboxState::is_behind`] allows, so that it never stops sales.
    /// What was added here since the last measure counts.
    pub fn room_for_bulk_work(&self) -> usize {
        let state = self.state();
        if state.oldest > MOST_AGE / BULK_PART {
            return 0;
        }
        let then = *self.shared.at_measure.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.shared.counts();
        let rows = state.rows as usize + (now.added - then.added);
        let rows = rows.saturating_sub(now.sent.saturating_sub(then.sent));
        (MOST_ROWS as usize / BULK_PART as usize).saturating_sub(rows)
    }
}
