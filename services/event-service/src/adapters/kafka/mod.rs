//! Commands come in, facts go out.

mod announcer;
mod commands;
pub mod facts;

pub use announcer::keep_announcing;
pub use commands::Commands;
