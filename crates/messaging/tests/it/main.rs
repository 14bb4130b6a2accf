//! Messages on their way from one service to another, on real Kafka and Postgres.

#![expect(clippy::unwrap_used, reason = "a test says by a panic what went wrong")]

mod bounds;
mod dead_letters;
mod fencing;
mod harness;
mod headers;
mod held_back;
mod outages;
mod owners;
mod parked;
mod pauses;
mod promoted;
mod resets;
mod round_trip;
