//! What connects the use cases to HTTP, Kafka, Postgres, the payment provider and the clock.

pub mod gateway;
pub mod http;
pub mod kafka;
pub mod lanes;
pub mod metrics;
pub mod postgres;
pub mod workers;
