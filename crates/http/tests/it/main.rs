//! The house as its callers see it: real HTTP over a bound listener.
#![allow(clippy::unwrap_used, missing_docs)]

mod app;
mod errors;
mod extractors;
mod house;
mod json;
mod keys;
mod live;
mod pages;
mod serving;
mod tokens;
