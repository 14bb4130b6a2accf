//! What can be done with payments. Each use case decides many at a time.

mod charge_attempt;
mod draft;
mod give_money_back;
pub mod ports;
mod record_outcomes;
mod resolve_attempts;
mod start_attempts;
mod take_commands;
mod void_attempts;

pub use charge_attempt::charge_attempt;
pub use give_money_back::give_money_back;
pub use record_outcomes::record_outcomes;
pub use resolve_attempts::resolve_attempts;
pub use start_attempts::start_attempts;
pub use take_commands::{ArrivedCommand, take_commands};
pub use void_attempts::void_attempts;

/// How many payments a worker takes at a time.
const PAGE: i64 = 256;
