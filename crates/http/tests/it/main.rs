//! The crate as HTTP clients see it: requests to a bound listener.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod client_ip;
mod extractors;
mod harness;
mod json;
mod keys;
mod live;
mod openapi;
mod pages;
mod problems;
mod sampling;
mod serving;
mod system_endpoints;
mod tokens;
