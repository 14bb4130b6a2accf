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
    hearing::Hearing,
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
        let mut hearing = Hearing::new(&reader.kafka, service, topics);
        let mut fences = Fences::default();
        loop {
            // What this member leaves undone is others' now.
            reader.kafka.progress.rests(TASK);
            let member = Member::join(&reader.kafka, service, topics)?;
            let outcome = tokio::select! {
                outcome = reader.read(&member) => outcome,
                () = hearing.is_lost(&member) => Ok(Ended::Lost),
            };
            if let Ok(Ended::Lost) = outcome {
                // Nothing answers it, so there is nothing to wait for.
                drop(member);
                continue;
            }
            member.leave().await;
            match outcome {
                Err(error) if error.is_fenced() => {
                    if fences.are_of_another() {
                        tracing::error!("another instance has the same name: set KARCIS_INSTANCE");
                        return Err(error);
                    }
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

/// How often the broker fenced an instance, each time soon after the last one. A member can fence itself:
/// when an outage loses the answer to a join, the join is repeated, and the broker sees two members
/// (<https://github.com/confluentinc/librdkafka/issues/3437>). Two instances of one name fence each other
/// as soon as they join.
#[derive(Default)]
struct Fences {
    last: Option<Instant>,
    in_a_row: u32,
}

impl Fences {
    /// Counts one; returns whether only another instance of the same name can be the cause.
    fn are_of_another(&mut self) -> bool {
        let is_soon = self.last.is_some_and(|last| last.elapsed() < FENCED_SOON);
        self.in_a_row = if is_soon { self.in_a_row + 1 } else { 1 };
        self.last = Some(Instant::now());
        self.in_a_row >= FENCES
    }
}

/// Two instances of one name fence each other within this; pauses of a broker are further apart.
const FENCED_SOON: Duration = Duration::from_secs(10);
/// So often.
const FENCES: u32 = 3;
/// How long a member that has left stays away: its session has to end before others get its partitions.
const AWAY: Duration = Duration::from_secs(10);
