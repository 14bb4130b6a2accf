//! The servers seen from outside: they start, keep their data, and never outlive their parent.
#![allow(clippy::unwrap_used)]

mod deploy;
mod launcher;
mod orphans;
mod roles;
mod servers;
