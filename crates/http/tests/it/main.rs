//! The house as its callers see it: real HTTP over a bound listener.
#![allow(clippy::unwrap_used, missing_docs)]

mod app;
mod extractors;
mod house;
mod json;
mod keys;
mod live;
mod openapi;
mod pages;
mod problems;
mod serving;
mod tokens;
