//! The kit itself: beds are apart from each other, and nothing outlives a test process.
#![allow(clippy::unwrap_used, missing_docs)]

mod beds;
mod brokers;
mod fleets;
mod leftovers;
mod waiting;
