//! Commands in, facts out.

mod commands;
mod facts;

pub use commands::Commands;
pub use facts::fact_message;
