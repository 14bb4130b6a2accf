//! How the use cases meet the world: HTTP, Kafka and Postgres.

pub mod http;
pub mod kafka;
pub mod metrics;
pub mod postgres;
mod time_zone;
