//! How messages leave and reach a service: outbox, relay, batch consumer and dead letters.

mod backoff;
mod consumer;
mod dead_letter;
mod kafka;
mod member;
mod metrics;
mod outbox;
mod relay;
mod security;
mod spans;
mod topics;

pub use consumer::{Consumer, HandleError, Received};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use kafka::{Kafka, KafkaConfig, KafkaError};
pub use outbox::{Outbox, OutboxState, Outgoing};
pub use security::KafkaSecurity;
pub use topics::Topic;
