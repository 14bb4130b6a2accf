//! Payment providers.

pub mod measured;
pub mod simulated;
