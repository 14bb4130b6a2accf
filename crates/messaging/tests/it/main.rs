//! Messages on their way from one service to another, on real Kafka and Postgres.

#![allow(clippy::unwrap_used)]

mod desk;
mod round_trip;
