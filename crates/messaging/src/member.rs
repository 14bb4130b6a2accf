//! One member of a consumer group, as librdkafka sees it.
//!
//! Guarantees: a batch is what is there, nothing waits to fill it; while a batch is handled the group
//! is served, so that a rebalance does not wait for a service whose database is away; what comes
//! meanwhile is kept up to a bound of messages and bytes, and beyond it partitions are paused; offsets
//! are committed only for partitions it owns.
//!
//! One that is paused while it is being assigned may never be read again: librdkafka drops the answer
//! that says where to begin. So a partition is paused only just after it gave a message, and is resumed
//! before it is revoked.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use rdkafka::{
    ClientContext, Message, Offset, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{
        BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance, StreamConsumer,
    },
    error::{KafkaError as ClientError, KafkaResult},
    message::BorrowedMessage,
};
use tokio::sync::oneshot;

use crate::{
    Kafka, KafkaError,
    bounds::{BATCH, Bound, KEPT, Kept},
    held_back::Offsets,
    kafka::Reports,
    probe::Partition,
};

/// A look also finds nothing where an event comes before the messages: statistics, an assignment, a commit.
const EVENTS: u32 = 4;

/// Passes on what the consumer reports.
#[derive(Default)]
struct Context {
    reports: Reports,
    paused: Mutex<HashSet<Partition>>,
}

impl Context {
    /// The paused partitions that `wanted` picks, which are to be resumed.
    fn take_paused(&self, wanted: impl Fn(&Partition) -> bool) -> TopicPartitionList {
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list = TopicPartitionList::new();
        paused.retain(|partition| {
            let is_wanted = wanted(partition);
            if is_wanted {
                list.add_partition(&partition.0, partition.1);
            }
            !is_wanted
        });
        list
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        self.reports.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.reports.link.note(&statistics);
        for (topic, seen) in statistics.topics {
            let partitions = seen.partitions.values();
            // Another member counts what it reads.
            let read_here = partitions.filter(|partition| partition.fetch_state == "active");
            let lag: i64 = read_here
                .map(|it| (it.hi_offset - it.committed_offset.max(it.lo_offset).max(0)).max(0))
                .sum();
            metrics::gauge!("karcis_consumer_lag_messages", "topic" => topic).set(lag as f64);
        }
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(revoked) = rebalance else { return };
        let resumed =
            self.take_paused(|(topic, number)| revoked.find_partition(topic, *number).is_some());
        if resumed.count() > 0
            && let Err(error) = consumer.resume(&resumed)
        {
            self.reports.warn(&error, "partitions were not resumed");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            // The batch is handled, and will be handled again.
            self.reports.warn(&error, "offsets were not committed");
        }
    }
}

/// A consumer that has joined its group.
pub(crate) struct Member {
    /// `None` once the member has left.
    open: Option<StreamConsumer<Context>>,
    has_some_in_hand: AtomicBool,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.close();
    }
}

impl Member {
    pub(crate) fn join(kafka: &Kafka, service: &str, topics: &[&str]) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer<Context> =
            kafka.consumer_settings(service).create_with_context(Context::default())?;
        let topics: Vec<String> = topics.iter().map(|topic| kafka.topic(topic)).collect();
        consumer.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(Self { open: Some(consumer), has_some_in_hand: AtomicBool::new(false) })
    }

    /// Whether it has a connection to a broker, as of the last second; a new one has time to connect.
    pub(crate) fn is_connected(&self) -> bool {
        self.consumer().context().reports.link.is_up()
    }

    /// The partitions it has, each with the offset behind the last message it gave, if it gave one.
    pub(crate) fn positions(&self) -> HashMap<Partition, Option<i64>> {
        let positions = self.consumer().position().unwrap_or_else(|_| TopicPartitionList::new());
        let positions = positions.elements().into_iter().map(|it| {
            let offset = it.offset().to_raw().filter(|offset| *offset >= 0);
            ((it.topic().to_owned(), it.partition()), offset)
        });
        positions.collect()
    }

    /// Says whether messages that it gave are not settled yet.
    pub(crate) fn has_in_hand(&self, some: bool) {
        self.has_some_in_hand.store(some, Ordering::Relaxed);
    }

    pub(crate) fn has_some_in_hand(&self) -> bool {
        self.has_some_in_hand.load(Ordering::Relaxed)
    }

    pub(crate) fn has_paused(&self, partition: &Partition) -> bool {
        let paused = &self.consumer().context().paused;
        paused.lock().unwrap_or_else(PoisonError::into_inner).contains(partition)
    }

    /// The next batch: what is in `kept` and what else is there, at least one message. When this is
    /// dropped before it ends, nothing is lost.
    pub(crate) async fn take<'a>(
        &'a self,
        kept: &mut Kept<BorrowedMessage<'a>>,
    ) -> Result<Vec<BorrowedMessage<'a>>, KafkaError> {
        if !kept.reaches(BATCH) {
            self.resume()?;
        }
        let mut messages = self.consumer().stream();
        while kept.messages() == 0 {
            if let Some(message) = messages.next().await {
                self.accept(message, kept)?;
            }
        }
        self.fill(kept, Some(BATCH))?;
        let taken = kept.take(BATCH);
        show(kept);
        Ok(taken)
    }

    /// Serves the group while a batch is handled, and keeps what comes. Beyond the bound, each partition
    /// that gives a message is paused.
    pub(crate) fn serve<'a>(
        &'a self,
        kept: &mut Kept<BorrowedMessage<'a>>,
    ) -> Result<(), KafkaError> {
        self.fill(kept, None)?;
        show(kept);
        Ok(())
    }

    fn fill<'a>(
        &'a self,
        kept: &mut Kept<BorrowedMessage<'a>>,
        until: Option<Bound>,
    ) -> Result<(), KafkaError> {
        let mut messages = self.consumer().stream();
        let mut empty_looks = 0;
        while until.is_none_or(|bound| !kept.reaches(bound)) && empty_looks < EVENTS {
            let Some(Some(message)) = messages.next().now_or_never() else {
                empty_looks += 1;
                continue;
            };
            empty_looks = 0;
            if let Some(partition) = self.accept(message, kept)?
                && kept.reaches(KEPT)
            {
                self.pause(partition)?;
            }
        }
        Ok(())
    }

    /// Keeps the message; returns where it came from.
    fn accept<'a>(
        &self,
        message: KafkaResult<BorrowedMessage<'a>>,
        kept: &mut Kept<BorrowedMessage<'a>>,
    ) -> Result<Option<Partition>, KafkaError> {
        match message {
            Ok(message) => {
                let partition = (message.topic().to_owned(), message.partition());
                let bytes = message.payload_len() + message.key_len();
                kept.push(message, bytes);
                return Ok(Some(partition));
            }
            Err(error @ ClientError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) => self.consumer().context().reports.warn(&error, "nothing can be read"),
        }
        Ok(None)
    }

    /// Reads no more of a partition that has just given a message.
    fn pause(&self, partition: Partition) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&partition.0, partition.1);
        self.consumer().pause(&list)?;
        let mut paused =
            self.consumer().context().paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused.insert(partition);
        Ok(())
    }

    fn resume(&self) -> Result<(), KafkaError> {
        let resumed = self.consumer().context().take_paused(|_| true);
        if resumed.count() > 0 {
            self.consumer().resume(&resumed)?;
        }
        Ok(())
    }

    /// Commits these offsets, without waiting for the broker.
    pub(crate) fn commit(&self, next: &Offsets) -> Result<(), KafkaError> {
        // A partition may have gone to another member meanwhile, which commits its offsets.
        let mut offsets = TopicPartitionList::new();
        for partition in self.consumer().assignment()?.elements() {
            let place = (partition.topic().to_owned(), partition.partition());
            if let Some(offset) = next.get(&place) {
                let offset = Offset::Offset(*offset);
                offsets.add_partition_offset(partition.topic(), partition.partition(), offset)?;
            }
        }
        if offsets.count() > 0 {
            self.consumer().commit(&offsets, CommitMode::Async)?;
        }
        Ok(())
    }

    /// Waits until the commits under way are done, 5 s at most, and closes the connections. The
    /// group keeps the member's place until its session ends, for it to come back.
    pub(crate) async fn leave(mut self) {
        let closed = self.close();
        if tokio::time::timeout(Duration::from_secs(5), closed).await.is_err() {
            tracing::warn!("the broker did not confirm the last offsets");
        }
    }

    /// Closing takes 0.1 s, and may never end while the broker is away. So it has a thread of its
    /// own: one of the runtime's would keep the process from ending.
    fn close(&mut self) -> oneshot::Receiver<()> {
        let (done, closed) = oneshot::channel();
        if let Some(consumer) = self.open.take() {
            std::thread::spawn(move || {
                drop(consumer);
                // Nobody may be waiting.
                let _ = done.send(());
            });
        }
        closed
    }

    fn consumer(&self) -> &StreamConsumer<Context> {
        self.open.as_ref().expect("only `leave` and `drop` close it, and both end the borrows")
    }
}

fn show(kept: &Kept<BorrowedMessage<'_>>) {
    metrics::gauge!("karcis_consumer_kept_messages").set(kept.messages() as f64);
    metrics::gauge!("karcis_consumer_kept_bytes").set(kept.bytes() as f64);
}
