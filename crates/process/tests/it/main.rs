//! The crate as binaries use it.

mod export;
mod signals;
mod supervise;
mod trace;
