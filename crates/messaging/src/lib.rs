//! How messages leave and reach a service: outbox, relay, batch consumer and dead letters.

mod acts;
mod backoff;
mod bounds;
mod consume;
mod consumer;
mod dead_letter;
mod hearing;
mod held_back;
mod incoming;
mod kafka;
mod member;
mod metrics;
mod outbox;
mod parked;
mod probe;
mod reader;
mod refusals;
mod relay;
mod relay_session;
mod secrets;
mod security;
mod sender;
mod spans;
mod topics;
mod waiting;

pub use acts::Acted;
pub use bounds::{SEATS_AT_ONCE, parts};
pub use consumer::{Consumer, HandleError, Received};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use kafka::{Kafka, KafkaConfig, KafkaError};
pub use outbox::{Outbox, OutboxState, Outgoing};
pub use parked::{ParkedMessage, ParkedMessages};
pub use security::KafkaSecurity;
pub use topics::Topic;
pub use waiting::{WaitingMessages, waiting_messages};
