//! The crate as HTTP clients see it: requests to a bound listener.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod accept;
mod admin;
mod client_ip;
mod conditional;
mod connections;
mod extractors;
mod harness;
mod hostile;
mod hostile_bodies;
mod json;
mod keys;
mod limits;
mod live;
mod openapi;
mod pages;
mod problems;
mod refusals;
mod sampling;
mod security;
mod serving;
mod system_endpoints;
mod tokens;
mod unknown_keys;
