//! Group commit and decide-and-commit in memory; keys and errors on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test says by a panic what went wrong")]

mod batcher;
mod connection;
mod decide;
mod failover;
mod idempotency_keys;
mod store_error;
