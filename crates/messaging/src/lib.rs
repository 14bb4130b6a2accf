//! How messages leave and reach a service: outbox, relay, batch consumer, dead letters, and the
//! lane that lets many writers share one transaction.

mod backoff;
mod consumer;
mod dead_letter;
mod kafka;
mod lane;
mod member;
mod metrics;
mod outbox;
mod postgres;
mod relay;
mod security;
mod spans;
mod topics;

pub use consumer::{Consumer, HandleError, Received};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use kafka::{Kafka, KafkaConfig, KafkaError};
pub use lane::{Busy, Lane};
pub use outbox::{Outbox, OutboxState, Outgoing};
pub use postgres::{DatabaseConfig, DatabaseError, connect, connect_to, is_transient, migrate};
pub use security::KafkaSecurity;
pub use topics::Topic;
