//! Where booking-service meets the world: HTTP, Kafka, Postgres and the clock.

pub mod http;
pub mod kafka;
mod metrics;
pub mod postgres;
pub mod workers;
