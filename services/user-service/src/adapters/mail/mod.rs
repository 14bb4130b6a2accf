//! The ways notices reach buyers.

mod log;

pub use log::LogNotifier;
