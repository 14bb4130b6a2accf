//! The messages as they stand on the wire, and what readers make of versions they do not know.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod asyncapi;
mod golden;
mod samples;
