//! Handles what a member of a group takes: in batches, in parts of a batch where not all can be handled,
//! and what waits for a lock again later.

use std::{collections::HashSet, time::Duration};

use karcis_database::Pool;
use karcis_kernel::Bug;
use karcis_process::{
    crash_point,
    trace::{self, Context},
};
use rdkafka::{Message as _, message::BorrowedMessage};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    Kafka, KafkaError,
    backoff::Backoff,
    bounds::Kept,
    consumer::{Consumer, HandleError, Received},
    dead_letter,
    held_back::HeldBack,
    incoming::{age_seconds, header, new_dead_letter},
    member::Member,
    spans::{self, Described},
};

/// How often the group is served while a batch is handled.
const SERVE_EVERY: Duration = Duration::from_secs(1);
/// A batch of which nothing is heard for longer makes the instance unready.
const OVERDUE: Duration = Duration::from_secs(45);
/// A batch that takes longer is left to other members.
const LEAVE_AFTER: Duration = Duration::from_secs(60);
/// For how long the messages of a batch are handled one at a time: the rest come again with those that wait
/// for a lock.
const ALONE_TIME: Duration = Duration::from_secs(20);
/// Its name in [`karcis_process::Progress`].
pub(crate) const TASK: &str = "consumer";

/// Why a member reads no more.
pub(crate) enum Ended {
    Stopping,
    /// Its batch takes too long.
    Overdue,
    /// It does not get what waits for it.
    Lost,
}

pub(crate) struct Reader<C> {
    pub(crate) service: &'static str,
    pub(crate) kafka: Kafka,
    pub(crate) pool: Pool,
    pub(crate) consumer: C,
    pub(crate) stopping: CancellationToken,
}

/// The service stops before the batch is handled.
struct Stopped;

/// Why a message is not handled.
enum Failure {
    Poison(String),
    /// See [`HandleError::Contended`].
    Contended(Option<Vec<usize>>),
}

/// A message of a type that this service reads.
struct Decoded<M> {
    /// Its index in what was taken.
    index: usize,
    received: Received<M>,
    /// The trace context of its sender.
    sender: Context,
}

/// Messages that are handled at once.
struct Part<M> {
    /// Their indexes in what was taken, and their traces.
    places: Vec<(usize, Context)>,
    messages: Vec<Received<M>>,
}

impl<M> Part<M> {
    /// Two of them, the second first.
    fn halves(mut self) -> Vec<Self> {
        let middle = self.places.len() / 2;
        let (places, messages) = (self.places.split_off(middle), self.messages.split_off(middle));
        vec![Self { places, messages }, self]
    }

    /// One for each message, the last first.
    fn one_by_one(self) -> impl Iterator<Item = Self> {
        let each = self.places.into_iter().zip(self.messages).rev();
        each.map(|(place, message)| Self { places: vec![place], messages: vec![message] })
    }
}

/// The messages of a batch that wait for a lock, and those of their keys that wait behind them.
#[derive(Default)]
struct Waiting<'a> {
    /// In what was taken.
    indexes: Vec<usize>,
    keys: HashSet<Option<&'a [u8]>>,
}

impl<'a> Waiting<'a> {
    /// Takes the locked messages, by their index in the part, and those of keys that wait; returns the rest.
    fn hold<M>(
        &mut self,
        taken: &'a [BorrowedMessage<'_>],
        part: Part<M>,
        is_locked: impl Fn(usize) -> bool,
    ) -> Part<M> {
        let (mut places, mut messages) = (Vec::new(), Vec::new());
        for (at, (place, message)) in part.places.into_iter().zip(part.messages).enumerate() {
            let key = taken[place.0].key();
            if is_locked(at) || self.keys.contains(&key) {
                self.keys.insert(key);
                self.indexes.push(place.0);
            } else {
                places.push(place);
                messages.push(message);
            }
        }
        Part { places, messages }
    }
}

impl<C: Consumer> Reader<C> {
    /// Handles what the member takes, until an error or as long as the outcome says.
    pub(crate) async fn read(&self, member: &Member) -> Result<Ended, KafkaError> {
        let (mut kept, mut held) = (Kept::default(), HeldBack::default());
        loop {
            member.has_in_hand(!held.is_empty());
            let taken = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Ok(Ended::Stopping),
                taken = member.take(&mut kept), if held.has_room() => taken?,
                () = sleep(held.pause()), if !held.is_empty() => Vec::new(),
            };
            member.has_in_hand(true);
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
            if Bug::OffsetBeforeDatabase.is_planted() {
                member.commit(&held.offsets())?;
            }
            match self.handle(member, &taken, &mut kept).await? {
                Ok(contended) => held.settle(taken, &contended),
                Err(ended) => return Ok(ended),
            }
            crash_point("consumer.handled");
            if let Err(error) = member.commit(&held.offsets()) {
                // A later commit covers these offsets too.
                tracing::warn!(%error, "offsets were not committed");
            }
            crash_point("consumer.committed");
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
        crash_point("consumer.taken");
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
        let count = decoded.len();
        let of_bookings = decoded.iter().zip(&contexts).filter_map(|(decoded, context)| {
            Some((decoded.received.correlation?, context.clone()))
        });
        let of_bookings = of_bookings.collect();
        let (places, messages) = decoded
            .into_iter()
            .zip(contexts)
            .map(|(decoded, context)| ((decoded.index, context), decoded.received))
            .unzip();
        let work = self.handle_parts(taken, Part { places, messages });
        let work = trace::scope_batch(of_bookings, work);
        let waiting = trace::scope(whole, work).await?;
        let handled = count - waiting.len();
        metrics::counter!("karcis_consumer_messages_total").increment(handled as u64);
        metrics::histogram!("karcis_consumer_batch_size").record(count as f64);
        metrics::histogram!("karcis_consumer_batch_duration_seconds").record(began.elapsed());
        Ok(waiting)
    }

    /// The same for what is decoded: all at once, or in parts.
    async fn handle_parts(
        &self,
        taken: &[BorrowedMessage<'_>],
        batch: Part<C::Message>,
    ) -> Result<Vec<usize>, Stopped> {
        let mut waiting = Waiting::default();
        // The first on top.
        let mut left = vec![batch];
        let mut alone_until: Option<Instant> = None;
        while let Some(part) = left.pop() {
            let is_over = alone_until.is_some_and(|until| until < Instant::now());
            let part = waiting.hold(taken, part, |_| is_over);
            if part.places.is_empty() {
                continue;
            }
            match self.retrying(taken, || self.consumer.handle(&part.messages)).await? {
                Ok(()) => {}
                Err(Failure::Contended(Some(open))) => {
                    waiting.hold(taken, part, |at| open.contains(&at));
                }
                Err(Failure::Contended(None)) if part.places.len() == 1 => {
                    waiting.hold(taken, part, |_| true);
                }
                Err(Failure::Contended(None)) => {
                    alone_until.get_or_insert_with(|| Instant::now() + ALONE_TIME);
                    left.extend(part.one_by_one());
                }
                Err(Failure::Poison(error)) if part.places.len() == 1 => {
                    let (index, context) = &part.places[0];
                    trace::fail(context, &error);
                    self.dead_letter(taken, *index, error).await?;
                }
                Err(Failure::Poison(_)) => left.extend(part.halves()),
            }
        }
        Ok(waiting.indexes)
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
                Err(HandleError::Contended { open, why }) => {
                    tracing::debug!(why, "messages wait for their rows");
                    return Ok(Err(Failure::Contended(open)));
                }
                Err(HandleError::Unavailable(error)) => {
                    // Not this instance hangs, but what it needs is away.
                    self.kafka.progress.goes_on(TASK, OVERDUE);
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
            error = message.error,
            "a message was dead-lettered"
        );
        metrics::counter!("karcis_messages_dead_lettered_total").increment(1);
        // A failure of the table is never the message's fault.
        let store = || async {
            let stored = dead_letter::store(&self.pool, &message).await;
            stored.map_err(|error| HandleError::Unavailable(error.to_string()))
        };
        self.retrying(taken, store).await.map(|_| crash_point("consumer.dead_lettered"))
    }
}
