//! What a failed delivery says: whether the broker refuses the message, its whole topic, or nothing is
//! known; and which topics are being refused.

use std::{collections::HashMap, time::Duration};

use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use tokio::time::Instant;

/// How often a refused topic is tried.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// A topic that was not refused for so long, since nothing was sent to it, may be there again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);

/// The owner of an outbox tells other instances by a shared advisory lock for each refused topic: it ends
/// with the owner's session. Nobody waits for it, nor for the owner's own lock, whose key has another form.
pub(crate) const TELL: &str =
    "SELECT pg_advisory_lock_shared('outbox'::regclass::oid::int4, hashtext($1))";
/// The topic is there again.
pub(crate) const UNTELL: &str =
    "SELECT pg_advisory_unlock_shared('outbox'::regclass::oid::int4, hashtext($1))";

/// Why a message was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A message of its batch is refused, whenever it comes; by itself, it is this one.
    OfMessage,
    /// All messages of its topic are refused, until somebody creates the topic or gives the right.
    OfTopic,
}

/// What the error refuses; `None` for an outage, which ends by itself.
pub(crate) fn refusal(error: &ClientError) -> Option<Refusal> {
    let ClientError::MessageProduction(code) = error else { return None };
    match code {
        Code::MessageSizeTooLarge
        | Code::MessageBatchTooLarge
        | Code::InvalidMessageSize
        | Code::InvalidRecord
        | Code::PolicyViolation => Some(Refusal::OfMessage),
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownTopicId
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::TopicAuthorizationFailed => Some(Refusal::OfTopic),
        _ => None,
    }
}

/// The topics that are being refused. They are held back, so that nothing waits for them, and tried now
/// and then. A topic that is created again is refused for a while: so its messages are parked only
/// after `parked_after`.
#[derive(Debug)]
pub(crate) struct RefusedTopics {
    parked_after: Duration,
    topics: HashMap<String, Refused>,
}

#[derive(Debug)]
struct Refused {
    since: Instant,
    last: Instant,
}

impl RefusedTopics {
    pub(crate) fn new(parked_after: Duration) -> Self {
        Self { parked_after, topics: HashMap::new() }
    }

    /// All of them.
    pub(crate) fn all(&self, now: Instant) -> Vec<String> {
        self.refused_within(FORGOTTEN_AFTER, now)
    }

    /// The topics that are not to be tried now.
    pub(crate) fn held_back(&self, now: Instant) -> Vec<String> {
        self.refused_within(TRY_AGAIN, now)
    }

    fn refused_within(&self, time: Duration, now: Instant) -> Vec<String> {
        let refused = self.topics.iter().filter(|(_, refused)| now - refused.last < time);
        refused.map(|(topic, _)| topic.clone()).collect()
    }

    /// The topic was refused. Returns whether its messages are to be parked.
    pub(crate) fn refused(&mut self, topic: &str, now: Instant) -> bool {
        self.topics.retain(|_, refused| now - refused.last < FORGOTTEN_AFTER);
        let topic = self.topics.entry(topic.to_owned());
        let refused = topic.or_insert(Refused { since: now, last: now });
        refused.last = now;
        now - refused.since >= self.parked_after
    }

    /// The topic took a message.
    pub(crate) fn accepted(&mut self, topic: &str) {
        self.topics.remove(topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_refuses_nothing() {
        let refuses = |code| refusal(&ClientError::MessageProduction(code));
        for code in [Code::MessageTimedOut, Code::BrokerTransportFailure, Code::NotEnoughReplicas] {
            assert_eq!(refuses(code), None);
        }
        for code in [Code::QueueFull, Code::Fatal, Code::OutOfOrderSequenceNumber] {
            assert_eq!(refuses(code), None);
        }
        assert_eq!(refuses(Code::ClusterAuthorizationFailed), None);
        assert_eq!(refusal(&ClientError::Canceled), None);
        for code in [Code::MessageSizeTooLarge, Code::InvalidRecord] {
            assert_eq!(refuses(code), Some(Refusal::OfMessage));
        }
        for code in [Code::UnknownTopic, Code::TopicAuthorizationFailed] {
            assert_eq!(refuses(code), Some(Refusal::OfTopic));
        }
    }

    #[test]
    fn a_refused_topic_is_held_back_and_parked_only_after_a_while() {
        let mut topics = RefusedTopics::new(Duration::from_secs(60));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!topics.refused("a", at(0)));
        assert_eq!(topics.held_back(at(4)), ["a"]);
        assert_eq!(topics.held_back(at(5)), [""; 0]);
        assert!(!topics.refused("a", at(59)));
        // It was there for a moment: the time counts from the next refusal.
        topics.accepted("a");
        assert!(!topics.refused("a", at(60)));
        assert!(topics.refused("a", at(120)));
        assert!(!topics.refused("b", at(120)));
        assert_eq!(topics.all(at(239)).len(), 2);
        // Nothing was sent to it for a while: nobody knows.
        assert_eq!(topics.all(at(240)), [""; 0]);
        assert!(!topics.refused("a", at(240)));
    }
}
