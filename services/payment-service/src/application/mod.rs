//! What can be done with payments. Each use case decides many at a time.

mod charge_attempt;
pub mod ports;
mod record_outcomes;
mod refund_payments;
mod resolve_attempts;
mod start_attempt;
mod take_commands;
mod unit_of_work;
mod void_attempts;

pub use charge_attempt::charge_attempt;
pub use record_outcomes::record_outcomes;
pub use refund_payments::{RefundReport, RefusedRefund, refund_payments};
pub use resolve_attempts::resolve_attempts;
pub use start_attempt::start_attempt;
pub use take_commands::{ArrivedCommand, take_commands};
pub use void_attempts::void_attempts;

/// How many payments a worker takes at a time.
const PAGE: i64 = 256;
