//! The kit itself: tests are apart from each other, and nothing outlives a test process.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod brokers;
mod environments;
mod leftovers;
mod waiting;
