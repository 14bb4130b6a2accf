//! Where booking-service meets the world: HTTP, Kafka, Postgres and the clock.

pub(crate) mod http;
pub(crate) mod kafka;
pub(crate) mod metrics;
pub(crate) mod postgres;
pub(crate) mod workers;
