//! What connects the use cases to HTTP, Kafka, Postgres, the payment provider and the clock.

pub(crate) mod gateway;
pub(crate) mod http;
pub(crate) mod kafka;
pub(crate) mod metrics;
pub(crate) mod postgres;
pub(crate) mod workers;
