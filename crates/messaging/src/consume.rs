//! Takes the messages that are there, many at a time, and commits their offsets after they are handled.
//!
//! Guarantees: every message is handled at least once, messages with the same key in their order; an
//! outage of the database or the broker loses nothing and dead-letters nothing; a message that can
//! never be handled goes to the dead letters, and nothing waits for it. When an instance dies or
//! partitions move, messages may be handled again, also after later ones: natural keys make that
//! harmless.

use std::time::Duration;

use karcis_database::Pool;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Kafka, KafkaError,
    consumer::Consumer,
    member::Member,
    reader::{Ended, Reader, TASK},
};

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
