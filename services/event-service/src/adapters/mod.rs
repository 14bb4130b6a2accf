//! How the use cases meet the world: HTTP, Kafka, Postgres and timers.

pub mod http;
pub mod kafka;
pub mod metrics;
pub mod postgres;
mod time_zone;
pub mod workers;
