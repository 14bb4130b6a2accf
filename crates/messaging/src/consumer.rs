//! Takes the messages that are there, many at a time, and commits their offsets after they are handled.
//!
//! Guarantees: every message is handled at least once, messages with the same key in their order; an
//! outage of the database or the broker loses nothing and dead-letters nothing; a message that can
//! never be handled goes to the dead letters, and nothing waits for it. When an instance dies or
//! partitions move, messages may be handled again, also after later ones: natural keys make that
//! harmless.

use std::time::Duration;

use async_trait::async_trait;
use karcis_database::{Pool, StoreError};
use karcis_process::chain;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Kafka, KafkaError,
    member::Member,
    reader::{Ended, Reader, TASK},
};

/// A decoded message with what its headers say.
#[derive(Clone, Debug)]
pub struct Received<M> {
    pub message: M,
    /// The CloudEvents id, for logs.
    pub id: String,
    /// The booking it belongs to.
    pub correlation: Option<Uuid>,
}

/// Why a batch was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// One of its messages can never be handled: the batch is bisected down to it.
    #[error("message cannot be handled: {0}")]
    Poison(String),
    /// Others have the rows of some of its messages locked, for longer than a batch can wait. These are
    /// held back with all later ones of their keys and come again, and what is of other keys goes on.
    #[error("others have its rows locked: {why}")]
    Contended {
        /// Their indexes in the batch; all others are handled. Who names one names the later ones of its
        /// key, too. `None` if nobody knows which these are: the messages are then handled one at a time.
        open: Option<Vec<usize>>,
        why: String,
    },
    /// The service itself cannot work now: the batch is retried in place, with backoff.
    #[error("try again later: {0}")]
    Unavailable(String),
}

impl HandleError {
    /// What became of a batch that is handled but for the messages of these indexes, whose rows others have
    /// locked.
    pub fn all_but(open: Vec<usize>) -> Result<(), Self> {
        let why = || format!("{} of its messages wait", open.len());
        if open.is_empty() { Ok(()) } else { Err(Self::Contended { why: why(), open: Some(open) }) }
    }
}

impl From<StoreError> for HandleError {
    /// What the store rejects is poison.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Busy(cause) => {
                Self::Unavailable(chain(&cause))
            }
            StoreError::Contended(cause) => Self::Contended { open: None, why: chain(&cause) },
            StoreError::RejectedByStore(cause) => Self::Poison(chain(&cause)),
        }
    }
}

/// What a service does with the messages it reads, all in one consumer group.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// An enum where the service reads several topics.
    type Message: Clone + Send + Sync + 'static;

    /// `None` for a type that the service does not read.
    fn decode(
        &self,
        topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<Self::Message>>;

    /// Handles up to 1,000 messages with 4 MiB of bodies, those with the same key in their order; see
    /// [`parts`](crate::parts) for what may be larger than its message. It is repeated after any
    /// error, so a repetition must be harmless. The messages' traces are in scope (`trace::of`).
    async fn handle(&self, batch: &[Received<Self::Message>]) -> Result<(), HandleError>;
}

impl Kafka {
    /// Consumes these topics (without a deployment's prefix) as group `service` until `stopping`. Poison
    /// goes to table `dead_letter` of the service's schema in `pool`. It survives every outage of broker
    /// and database; an error means that another instance has the same name, or that a setting is wrong.
    pub async fn consume(
        self,
        service: &'static str,
        topics: &'static [&'static str],
        pool: Pool,
        consumer: impl Consumer,
        stopping: CancellationToken,
    ) -> Result<(), KafkaError> {
        let reader = Reader { service, kafka: self, pool, consumer, stopping };
        let mut fenced_at: Option<Instant> = None;
        loop {
            // What this member leaves undone is others' now.
            reader.kafka.progress.rests(TASK);
            let member = Member::join(&reader.kafka, service, topics)?;
            let outcome = reader.read(&member).await;
            member.leave().await;
            match outcome {
                Err(error) if error.is_fenced() => {
                    if fenced_at.is_some_and(|before| before.elapsed() < FENCED_AGAIN) {
                        tracing::error!("another instance has the same name: set KARCIS_INSTANCE");
                        return Err(error);
                    }
                    fenced_at = Some(Instant::now());
                    tracing::warn!("the broker fenced this instance: it joins again");
                }
                Ok(Ended::Overdue) => {
                    metrics::counter!("karcis_consumer_left_total").increment(1);
                    tracing::error!("a batch is not handled: its partitions are left to others");
                    reader.stopping.run_until_cancelled(sleep(AWAY)).await;
                }
                outcome => return outcome.map(drop),
            }
        }
    }
}

/// A member can fence itself: when an outage loses the answer to a join, the join is repeated, and
/// the broker sees two members (<https://github.com/confluentinc/librdkafka/issues/3437>). A member
/// that is fenced again within this time shares its name with another instance.
const FENCED_AGAIN: Duration = Duration::from_secs(60);
/// How long a member that has left stays away: its session has to end before others get its partitions.
const AWAY: Duration = Duration::from_secs(10);
