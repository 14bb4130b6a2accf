//! The fleet, seen from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod architecture;
