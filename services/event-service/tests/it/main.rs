//! event-service as a black box, on real Kafka and Postgres.

mod cancelling;
mod commands;
mod editing;
mod looking;
mod racing;
mod shop;
