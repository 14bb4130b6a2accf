//! The crate as binaries use it.

mod export;
mod logs;
mod signals;
mod supervise;
mod trace;
