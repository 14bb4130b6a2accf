//! Payment providers.

pub mod simulated;
