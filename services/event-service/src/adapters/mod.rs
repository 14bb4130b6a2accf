//! How the use cases meet the world: HTTP, Kafka, Postgres and timers.

pub(crate) mod http;
pub(crate) mod kafka;
pub(crate) mod metrics;
pub(crate) mod postgres;
mod time_zone;
pub(crate) mod workers;
