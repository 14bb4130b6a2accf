//! Messages on their way from one service to another, on real Kafka and Postgres.

#![allow(clippy::unwrap_used)]

mod dead_letters;
mod fencing;
mod harness;
mod headers;
mod outages;
mod owners;
mod round_trip;
