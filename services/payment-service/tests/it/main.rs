//! payment-service as a black box, on real Kafka and Postgres.

#![allow(clippy::unwrap_used)]

mod commands;
mod crashes;
mod desk;
mod facts;
mod input;
mod paying;
mod refunds;
mod repeating;
mod watching;
