//! Whether a member gets what waits for it. librdkafka can be deaf without an error: of a topic that was
//! made again it ignores all metadata while that has a lower leader epoch than the old topic had
//! (<https://github.com/confluentinc/librdkafka/issues/4898>), and an outage may lose the answer that it
//! waits for. It can also be without any broker ([`crate::kafka::Link`]).
//!
//! Guarantees: a member joins again as a new client, which remembers nothing, once it has had no connection
//! for seconds to a broker that answers others, or once messages of its partitions, or of nobody's, have
//! waited for seconds while nothing moved. The instance is not ready while this lasts longer than a
//! minute. A broker that does not answer makes nobody deaf. Nothing is done for each message.

use std::{collections::HashMap, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    Kafka,
    member::Member,
    probe::{GroupProbe, Partition, Place},
};

/// How often it is looked whether the member has a connection.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it may have none while the broker answers others.
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);
/// How often the broker is asked what waits, while all is well.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// How long messages of a partition that the member has may wait.
const HEARS_WITHIN: Duration = Duration::from_secs(7);
/// The same of a partition that no member has: an assignment takes its time.
const JOINS_WITHIN: Duration = Duration::from_secs(15);
/// How long until the instance is not ready.
const UNREADY_AFTER: Duration = Duration::from_secs(60);
/// Longer than this no member is left to wait, however often it was made again.
const LONGEST: Duration = Duration::from_secs(120);
/// Its name in [`karcis_process::Progress`].
const TASK: &str = "hearing";

/// A partition of which messages wait, and nothing happens.
struct Silence {
    since: Instant,
    /// Whether it was seen before.
    again: bool,
    /// The group's offset.
    committed: Option<i64>,
    /// The last one of a member; a new member has none yet.
    position: Option<i64>,
}

/// What is known of the members that one instance makes, one after another.
pub(crate) struct Hearing {
    kafka: Kafka,
    probe: GroupProbe,
    silent: HashMap<Partition, Silence>,
    /// How often a member was made again since all was well.
    again: u32,
}

impl Hearing {
    pub(crate) fn new(kafka: &Kafka, service: &str, topics: &[&str]) -> Self {
        metrics::gauge!("karcis_consumer_unheard_seconds").set(0.0);
        let probe = GroupProbe::new(kafka, service, topics);
        Self { kafka: kafka.clone(), probe, silent: HashMap::new(), again: 0 }
    }

    /// Returns once the member does not get what waits for it.
    pub(crate) async fn is_lost(&mut self, member: &Member) {
        let joined = Instant::now();
        let mut asked = joined;
        let mut answers = true;
        let mut unconnected: Option<Instant> = None;
        loop {
            sleep(LOOK_EVERY).await;
            let is_well = answers && !self.is_suspicious() && member.is_connected();
            if is_well && asked.elapsed() < ASK_EVERY {
                unconnected = None;
                continue;
            }
            asked = Instant::now();
            answers = self.ask(member).await;
            if member.is_connected() || !answers {
                unconnected = None;
            } else if unconnected.get_or_insert_with(Instant::now).elapsed() >= CONNECTS_WITHIN {
                tracing::error!(
                    "the broker answers, but not to this consumer: it joins its group again"
                );
                return;
            }
            if self.is_deaf(member, joined) {
                self.again += 1;
                return;
            }
        }
    }

    /// Whether messages have waited for too long.
    fn is_deaf(&mut self, member: &Member, joined: Instant) -> bool {
        if self.silent.is_empty() {
            self.again = 0;
        }
        let own = member.positions();
        let limit = |partition: &Partition| {
            let limit = if own.contains_key(partition) { HEARS_WITHIN } else { JOINS_WITHIN };
            (limit * 2_u32.saturating_pow(self.again)).min(LONGEST)
        };
        let mut silent = self.silent.iter();
        let found = silent.find(|(it, silence)| silence.since.max(joined).elapsed() >= limit(it));
        let Some(((topic, number), silence)) = found else { return false };
        let seconds = silence.since.elapsed().as_secs();
        tracing::error!(
            topic,
            partition = number,
            seconds,
            "messages wait that this instance does not get: it joins its group again"
        );
        true
    }

    /// Asks the broker what waits, and shows for how long. Returns whether it answers.
    async fn ask(&mut self, member: &Member) -> bool {
        // A client that was told of other topics may not know these any better than the member.
        let is_fresh = self.is_suspicious() || !member.is_connected();
        let asked = self.probe.places(is_fresh).await;
        let answers = asked.is_ok();
        match asked {
            Ok(places) => self.judge(&places, member),
            Err(error) => {
                tracing::debug!(%error, "what waits is not known");
                self.silent.clear();
            }
        }
        self.leave_to_others(member).await;
        let longest = self.longest().unwrap_or_default();
        metrics::gauge!("karcis_consumer_unheard_seconds").set(longest.as_secs_f64());
        if self.silent.is_empty() {
            self.kafka.progress.rests(TASK);
        } else {
            self.kafka.progress.goes_on(TASK, UNREADY_AFTER.saturating_sub(longest));
        }
        answers
    }

    /// Notes of which partitions something waits, and since when nothing has moved.
    fn judge(&mut self, places: &[Place], member: &Member) {
        let own = member.positions();
        let mut before = std::mem::take(&mut self.silent);
        for place in places.iter().filter(|place| place.waits()) {
            let position = own.get(&place.partition).copied().flatten();
            // What it has taken and not yet committed.
            let is_in_hand = position == Some(place.end) && member.has_some_in_hand();
            if is_in_hand || member.has_paused(&place.partition) {
                continue;
            }
            let known = before.remove(&place.partition).filter(|it| {
                it.committed == place.committed && (position.is_none() || it.position == position)
            });
            let silence = match known {
                Some(known) => Silence { again: true, ..known },
                None => Silence {
                    since: Instant::now(),
                    again: false,
                    committed: place.committed,
                    position,
                },
            };
            self.silent.insert(place.partition.clone(), silence);
        }
    }

    /// Forgets what other members have: they read it, or make themselves again.
    async fn leave_to_others(&mut self, member: &Member) {
        let own = member.positions();
        if self.silent.iter().any(|(it, silence)| silence.again && !own.contains_key(it)) {
            match self.probe.of_others().await {
                Ok(others) => {
                    self.silent.retain(|it, _| own.contains_key(it) || !others.contains(it));
                }
                Err(error) => {
                    tracing::debug!(%error, "who has the partitions is not known");
                    self.silent.retain(|it, _| own.contains_key(it));
                }
            }
        }
    }

    /// Whether nothing moved between two questions, though something waits: a busy partition is none.
    fn is_suspicious(&self) -> bool {
        self.silent.values().any(|silence| silence.again)
    }

    fn longest(&self) -> Option<Duration> {
        self.silent.values().map(|silence| silence.since.elapsed()).max()
    }
}
