//! The rules of the house, checked on its text. This package links nothing of the product.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is missing")]

mod circles;
mod docs;
mod exceptions;
mod floor_plan;
mod layers;
mod migrations;
mod packages;
mod pages;
mod problems;
mod shapes;
mod sizes;
mod source;
mod tree;
mod versions;
mod words;
