//! The crate as binaries use it.

mod signals;
mod supervise;
mod trace;
