//! The kit itself: tests are apart from each other, and nothing outlives a test process.
#![allow(clippy::unwrap_used, missing_docs)]

mod brokers;
mod environments;
mod leftovers;
mod waiting;
