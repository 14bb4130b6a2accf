//! One member of a consumer group, as librdkafka sees it.
//!
//! Guarantees: a batch is what is there, nothing waits to fill it; while a batch is at work the
//! group is served, so that rebalances never wait for a service whose database is away and
//! `max.poll.interval.ms` bounds nothing; offsets are committed only for partitions it owns.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt};
use rdkafka::{
    ClientContext, Message, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{CommitMode, Consumer as _, ConsumerContext, StreamConsumer},
    error::{KafkaError as ClientError, KafkaResult, RDKafkaErrorCode},
    message::BorrowedMessage,
};

use crate::{Kafka, KafkaError, kafka::Reports};

/// Messages taken at once.
const BATCH: usize = 1_000;

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
}

impl ConsumerContext for Context {
    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            // The batch is handled; what is lost is that it is not handled again.
            self.reports.warn(&error, "offsets were not committed");
        }
    }
}

/// A member of the group. Blocks for 0.1 s when dropped: use [`Self::leave`].
pub(crate) struct Member {
    consumer: Arc<StreamConsumer<Context>>,
}

impl Member {
    pub(crate) fn join(kafka: &Kafka, service: &str, topics: &[&str]) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer<Context> =
            kafka.consumer_settings(service).create_with_context(Context::default())?;
        let topics: Vec<String> = topics.iter().map(|topic| kafka.topic(topic)).collect();
        consumer.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(Self { consumer: Arc::new(consumer) })
    }

    /// Waits until `taken` is not empty, then adds what else is there.
    pub(crate) async fn take<'a>(
        &'a self,
        taken: &mut Vec<BorrowedMessage<'a>>,
    ) -> Result<(), KafkaError> {
        let mut messages = self.consumer.stream();
        while taken.is_empty() {
            if let Some(message) = messages.next().await {
                self.accept(message, taken)?;
            }
        }
        self.take_more(taken)
    }

    /// Serves the group while a batch is at work. What comes although the partitions are paused,
    /// since they were just assigned, is added to `taken`, to be handled next.
    pub(crate) fn serve<'a>(
        &'a self,
        taken: &mut Vec<BorrowedMessage<'a>>,
    ) -> Result<(), KafkaError> {
        let paused = self.consumer.assignment().and_then(|owned| self.consumer.pause(&owned));
        if let Err(error) = paused {
            tracing::warn!(%error, "not all partitions were paused");
        }
        self.take_more(taken)
    }

    /// Ends what [`Self::serve`] began.
    pub(crate) fn resume(&self) {
        let resumed = self.consumer.assignment().and_then(|owned| self.consumer.resume(&owned));
        if let Err(error) = resumed {
            tracing::warn!(%error, "not all partitions were resumed");
        }
    }

    fn take_more<'a>(&'a self, taken: &mut Vec<BorrowedMessage<'a>>) -> Result<(), KafkaError> {
        let mut messages = self.consumer.stream();
        while taken.len() < BATCH
            && let Some(Some(message)) = messages.next().now_or_never()
        {
            self.accept(message, taken)?;
        }
        Ok(())
    }

    fn accept<'a>(
        &self,
        message: KafkaResult<BorrowedMessage<'a>>,
        taken: &mut Vec<BorrowedMessage<'a>>,
    ) -> Result<(), KafkaError> {
        match message {
            Ok(message) => taken.push(message),
            Err(ClientError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId)) => {
                tracing::error!(
                    "another instance has this one's name: give each a KARCIS_INSTANCE"
                );
                let fatal = RDKafkaErrorCode::FencedInstanceId;
                return Err(ClientError::MessageConsumptionFatal(fatal).into());
            }
            Err(error @ ClientError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) => self.consumer.context().reports.warn(&error, "nothing can be read"),
        }
        Ok(())
    }

    /// Commits that all these messages are handled, without waiting for the broker.
    pub(crate) fn commit(&self, handled: &[BorrowedMessage<'_>]) -> Result<(), KafkaError> {
        let mut next: HashMap<(&str, i32), i64> = HashMap::new();
        for message in handled {
            next.insert((message.topic(), message.partition()), message.offset() + 1);
        }
        // A partition that went to another member while the batch was at work is that member's.
        let mut offsets = TopicPartitionList::new();
        for partition in self.consumer.assignment()?.elements() {
            if let Some(offset) = next.get(&(partition.topic(), partition.partition())) {
                let offset = Offset::Offset(*offset);
                offsets.add_partition_offset(partition.topic(), partition.partition(), offset)?;
            }
        }
        if offsets.count() > 0 {
            self.consumer.commit(&offsets, CommitMode::Async)?;
        }
        Ok(())
    }

    /// Waits until the commits under way are done, 5 s at most, and closes the connections. The
    /// group keeps the member's place until its session ends, for it to come back.
    pub(crate) async fn leave(self) {
        let closed = tokio::task::spawn_blocking(move || drop(self.consumer));
        if tokio::time::timeout(Duration::from_secs(5), closed).await.is_err() {
            tracing::warn!("the broker did not confirm the last offsets");
        }
    }
}
