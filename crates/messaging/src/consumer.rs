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
use karcis_process::{
    chain,
    trace::{self, Context},
};
use rdkafka::{Message as _, message::BorrowedMessage};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Kafka, KafkaError,
    backoff::Backoff,
    bounds::Kept,
    dead_letter,
    held_back::HeldBack,
    incoming::{age_seconds, header, new_dead_letter},
    member::Member,
    spans::{self, Described},
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
    /// Others have the rows of some of its messages locked, for longer than a batch can wait; all others
    /// are handled. The batch is bisected down to these, which come again, and later ones go on.
    #[error("others have its rows locked: {0}")]
    Contended(String),
    /// The service itself cannot work now: the batch is retried in place, with backoff.
    #[error("try again later: {0}")]
    Unavailable(String),
}

impl From<StoreError> for HandleError {
    /// What the store rejects is poison.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Busy(cause) => {
                Self::Unavailable(chain(&cause))
            }
            StoreError::Contended(cause) => Self::Contended(chain(&cause)),
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

/// How often the group is served while a batch is handled.
const SERVE_EVERY: Duration = Duration::from_secs(1);
/// A batch that takes longer makes the instance unready.
const OVERDUE: Duration = Duration::from_secs(45);
/// A batch that takes longer is left to other members.
const LEAVE_AFTER: Duration = Duration::from_secs(60);
/// How long a member that has left stays away: its session has to end before others get its partitions.
const AWAY: Duration = Duration::from_secs(10);
/// Its name in [`karcis_process::Progress`].
const TASK: &str = "consumer";

/// Why a member reads no more.
enum Ended {
    Stopping,
    /// Its batch takes too long.
    Overdue,
}

struct Reader<C> {
    service: &'static str,
    kafka: Kafka,
    pool: Pool,
    consumer: C,
    stopping: CancellationToken,
}

/// The service stops before the batch is handled.
struct Stopped;

/// Why a message is not handled.
enum Failure {
    Poison(String),
    Contended,
}

/// A message of a type that this service reads.
struct Decoded<M> {
    /// Its index in what was taken.
    index: usize,
    received: Received<M>,
    /// The trace context of its sender.
    sender: Context,
}

impl<C: Consumer> Reader<C> {
    async fn read(&self, member: &Member) -> Result<Ended, KafkaError> {
        let (mut kept, mut held) = (Kept::default(), HeldBack::default());
        loop {
            let taken = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Ok(Ended::Stopping),
                taken = member.take(&mut kept), if held.has_room() => taken?,
                () = sleep(held.pause()), if !held.is_empty() => Vec::new(),
            };
            if !held.has_room() {
                member.serve(&mut kept)?;
            }
            // Those that wait are tried first: they came before.
            let again = held.due();
            match self.handle(member, &again, &mut kept).await? {
                Ok(contended) => held.settle(again, &contended),
                Err(ended) => return Ok(ended),
            }
            let taken = held.apart(taken);
            match self.handle(member, &taken, &mut kept).await? {
                Ok(contended) => held.settle(taken, &contended),
                Err(ended) => return Ok(ended),
            }
            if let Err(error) = member.commit(&held.offsets()) {
                // A later commit covers these offsets too.
                tracing::warn!(%error, "offsets were not committed");
            }
        }
    }

    /// Handles `taken`, and serves the group meanwhile. Returns the indexes of the messages that wait for a
    /// lock.
    async fn handle<'a>(
        &self,
        member: &'a Member,
        taken: &[BorrowedMessage<'a>],
        kept: &mut Kept<BorrowedMessage<'a>>,
    ) -> Result<Result<Vec<usize>, Ended>, KafkaError> {
        if taken.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let leave_at = Instant::now() + LEAVE_AFTER;
        self.kafka.progress.goes_on(TASK, OVERDUE);
        let mut handled = std::pin::pin!(self.handle_all(taken));
        loop {
            tokio::select! {
                biased;
                outcome = &mut handled => {
                    self.kafka.progress.rests(TASK);
                    return Ok(outcome.map_err(|Stopped| Ended::Stopping));
                }
                () = sleep_until(leave_at) => return Ok(Err(Ended::Overdue)),
                () = sleep(SERVE_EVERY) => member.serve(kept)?,
            }
        }
    }

    /// Handles what can be handled and dead-letters what never can. Returns the indexes of the rest.
    async fn handle_all(&self, taken: &[BorrowedMessage<'_>]) -> Result<Vec<usize>, Stopped> {
        let began = Instant::now();
        metrics::histogram!("karcis_consumer_delay_seconds").record(age_seconds(taken.first()));
        let decoded = self.decode_all(taken).await?;
        let (whole, contexts) = self.contexts(taken, &decoded);
        let (indexes, batch): (Vec<usize>, Vec<_>) =
            decoded.into_iter().map(|decoded| (decoded.index, decoded.received)).unzip();
        let of_bookings = batch.iter().zip(&contexts);
        let of_bookings =
            of_bookings.filter_map(|(it, context)| Some((it.correlation?, context.clone())));
        let work = trace::scope_batch(of_bookings.collect(), async {
            // Halves still to be handled, the first on top.
            let mut contended = Vec::new();
            let mut left: Vec<_> = std::iter::once(0..batch.len()).collect();
            while let Some(part) = left.pop() {
                if part.is_empty() {
                    continue;
                }
                match self.retrying(taken, || self.consumer.handle(&batch[part.clone()])).await? {
                    Ok(()) => {}
                    Err(Failure::Poison(error)) if part.len() == 1 => {
                        trace::fail(&contexts[part.start], &error);
                        self.dead_letter(taken, indexes[part.start], error).await?;
                    }
                    Err(Failure::Contended) if part.len() == 1 => {
                        contended.push(indexes[part.start]);
                    }
                    Err(_) => {
                        let middle = part.start + part.len() / 2;
                        left.push(middle..part.end);
                        left.push(part.start..middle);
                    }
                }
            }
            Ok(contended)
        });
        let contended = trace::scope(whole, work).await?;
        metrics::counter!("karcis_consumer_messages_total").increment(batch.len() as u64);
        metrics::histogram!("karcis_consumer_batch_size").record(batch.len() as f64);
        metrics::histogram!("karcis_consumer_batch_duration_seconds").record(began.elapsed());
        Ok(contended)
    }

    /// The messages of the types that this service reads; what cannot be decoded is dead-lettered.
    async fn decode_all(
        &self,
        taken: &[BorrowedMessage<'_>],
    ) -> Result<Vec<Decoded<C::Message>>, Stopped> {
        let mut decoded = Vec::with_capacity(taken.len());
        for (index, taken_message) in taken.iter().enumerate() {
            let kind = header(taken_message, "ce_type").unwrap_or_default();
            let body = taken_message.payload().unwrap_or_default();
            let topic = self.kafka.plain_topic(taken_message.topic());
            match self.consumer.decode(topic, kind, body) {
                Ok(Some(message)) => {
                    let id = header(taken_message, "ce_id").unwrap_or_default().to_owned();
                    let correlation =
                        header(taken_message, "ce_correlationid").and_then(|id| id.parse().ok());
                    let sender = header(taken_message, "traceparent").and_then(trace::parse);
                    decoded.push(Decoded {
                        index,
                        received: Received { message, id, correlation },
                        sender: sender.unwrap_or_default(),
                    });
                }
                Ok(None) => {
                    // A newer release sent it. It is sent again when this service is up to date.
                    metrics::counter!("karcis_consumer_skipped_total").increment(1);
                    tracing::warn!(topic, kind, "skipped a message of an unknown type");
                }
                Err(error) => self.dead_letter(taken, index, error.to_string()).await?,
            }
        }
        Ok(decoded)
    }

    /// The trace context of the batch and of each message: new spans while spans are exported, else
    /// the senders' own.
    fn contexts(
        &self,
        taken: &[BorrowedMessage<'_>],
        decoded: &[Decoded<C::Message>],
    ) -> (Context, Vec<Context>) {
        let senders: Vec<Context> = decoded.iter().map(|decoded| decoded.sender.clone()).collect();
        if !trace::is_exported() {
            return (Context::new(), senders);
        }
        let batch = spans::batch(self.service, &senders);
        let contexts = decoded.iter().map(|decoded| {
            let message = &taken[decoded.index];
            let described = Described {
                topic: message.topic(),
                kind: header(message, "ce_type").unwrap_or_default(),
                id: &decoded.received.id,
                booking: decoded.received.correlation,
            };
            let place = (message.partition(), message.offset());
            spans::process(self.service, &decoded.sender, described, place, &batch)
        });
        let contexts = contexts.collect();
        (batch, contexts)
    }

    /// Repeats `attempt` while the service is unavailable. The inner error is not healed by that.
    async fn retrying<F>(
        &self,
        taken: &[BorrowedMessage<'_>],
        attempt: impl Fn() -> F,
    ) -> Result<Result<(), Failure>, Stopped>
    where
        F: Future<Output = Result<(), HandleError>>,
    {
        let mut backoff = Backoff::new();
        loop {
            match attempt().await {
                Ok(()) => return Ok(Ok(())),
                Err(HandleError::Poison(error)) => return Ok(Err(Failure::Poison(error))),
                Err(HandleError::Contended(error)) => {
                    tracing::debug!(error, "messages wait for their rows");
                    return Ok(Err(Failure::Contended));
                }
                Err(HandleError::Unavailable(error)) => {
                    metrics::counter!("karcis_consumer_retries_total").increment(1);
                    tracing::warn!(error, messages = taken.len(), "the batch is tried again");
                }
            }
            tokio::select! {
                () = self.stopping.cancelled() => return Err(Stopped),
                () = sleep(backoff.next()) => {}
            }
        }
    }

    async fn dead_letter(
        &self,
        taken: &[BorrowedMessage<'_>],
        index: usize,
        error: String,
    ) -> Result<(), Stopped> {
        let message = new_dead_letter(&self.kafka, &taken[index], &error);
        tracing::error!(
            topic = message.topic,
            partition = message.partition,
            offset = message.offset,
            kind = message.kind,
            error,
            "a message was dead-lettered"
        );
        metrics::counter!("karcis_messages_dead_lettered_total").increment(1);
        // A failure of the table is never the message's fault.
        let store = || async {
            let stored = dead_letter::store(&self.pool, &message).await;
            stored.map_err(|error| HandleError::Unavailable(error.to_string()))
        };
        self.retrying(taken, store).await.map(|_| ())
    }
}
