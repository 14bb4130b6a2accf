//! The crate as binaries use it.

mod supervise;
mod trace;
