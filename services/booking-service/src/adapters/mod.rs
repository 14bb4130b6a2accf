//! Where booking-service meets the world: HTTP, Kafka, Postgres and the clock.

pub mod http;
pub mod kafka;
pub mod postgres;
pub mod workers;
