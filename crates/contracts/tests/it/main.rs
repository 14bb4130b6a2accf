//! The messages as they stand on the wire, and what readers make of versions they do not know.

#![allow(clippy::unwrap_used)]

mod asyncapi;
mod golden;
mod samples;
