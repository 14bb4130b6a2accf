//! One member of a consumer group, as librdkafka sees it.
//!
//! Guarantees: a batch is what is there, nothing waits to fill it; while a batch is handled the group
//! is served, so that a rebalance does not wait for a service whose database is away; offsets are
//! committed only for partitions it owns. No partition is ever paused: one that is paused while it
//! is being assigned may never be read again. Instead, what comes is buffered, up to a limit. After
//! that `max.poll.interval.ms` ends the membership, and the next poll joins again at the committed
//! offsets.

use std::{collections::HashMap, time::Duration};

use futures_util::{FutureExt, StreamExt};
use rdkafka::{
    ClientContext, Message, Offset, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{CommitMode, Consumer as _, ConsumerContext, StreamConsumer},
    error::{KafkaError as ClientError, KafkaResult},
    message::BorrowedMessage,
};
use tokio::sync::oneshot;

use crate::{Kafka, KafkaError, kafka::Reports};

/// Messages handled at once.
const BATCH: usize = 1_000;
/// Messages buffered while a batch is handled.
const BUFFER: usize = 10_000;

/// Passes on what the consumer reports.
#[derive(Default)]
struct Context {
    reports: Reports,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        self.reports.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
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
        Ok(Self { open: Some(consumer) })
    }

    /// The next batch: what is in `buffer` and what else is there, at least one message. When this is
    /// dropped before it ends, nothing is lost.
    pub(crate) async fn take<'a>(
        &'a self,
        buffer: &mut Vec<BorrowedMessage<'a>>,
    ) -> Result<Vec<BorrowedMessage<'a>>, KafkaError> {
        let mut messages = self.consumer().stream();
        while buffer.is_empty() {
            if let Some(message) = messages.next().await {
                self.accept(message, buffer)?;
            }
        }
        self.fill(buffer, BATCH)?;
        let rest = buffer.split_off(buffer.len().min(BATCH));
        Ok(std::mem::replace(buffer, rest))
    }

    /// Serves the group while a batch is handled, and buffers what comes.
    pub(crate) fn serve<'a>(
        &'a self,
        buffer: &mut Vec<BorrowedMessage<'a>>,
    ) -> Result<(), KafkaError> {
        self.fill(buffer, BUFFER)
    }

    fn fill<'a>(
        &'a self,
        buffer: &mut Vec<BorrowedMessage<'a>>,
        limit: usize,
    ) -> Result<(), KafkaError> {
        let mut messages = self.consumer().stream();
        while buffer.len() < limit
            && let Some(Some(message)) = messages.next().now_or_never()
        {
            self.accept(message, buffer)?;
        }
        Ok(())
    }

    fn accept<'a>(
        &self,
        message: KafkaResult<BorrowedMessage<'a>>,
        buffer: &mut Vec<BorrowedMessage<'a>>,
    ) -> Result<(), KafkaError> {
        match message {
            Ok(message) => buffer.push(message),
            Err(error @ ClientError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) => self.consumer().context().reports.warn(&error, "nothing can be read"),
        }
        Ok(())
    }

    /// Commits that all these messages are handled, without waiting for the broker.
    pub(crate) fn commit(&self, handled: &[BorrowedMessage<'_>]) -> Result<(), KafkaError> {
        let mut next: HashMap<(&str, i32), i64> = HashMap::new();
        for message in handled {
            next.insert((message.topic(), message.partition()), message.offset() + 1);
        }
        // A partition may have gone to another member meanwhile, which commits its offsets.
        let mut offsets = TopicPartitionList::new();
        for partition in self.consumer().assignment()?.elements() {
            if let Some(offset) = next.get(&(partition.topic(), partition.partition())) {
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
