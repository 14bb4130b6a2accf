//! What can be done with payments. Each use case decides many at a time.

mod charge_attempt;
mod ports;
mod record_outcomes;
mod refund_payments;
mod resolve_attempts;
mod settle_attempt;
mod start_attempt;
mod take_commands;
mod unit_of_work;
mod void_attempts;

pub use charge_attempt::charge_attempt;
pub use ports::{
    Change, Charge, Method, Page, PaymentGateway, Payments, ProviderUnavailable, Refund, Unsettled,
    UnsettledPayments, Waiting, WaitingPayments,
};
pub use record_outcomes::{AttemptAnswer, record_outcomes};
pub use refund_payments::{RefundReport, RefusedRefund, refund_payments};
pub use resolve_attempts::{Resolved, resolve_attempts};
pub use settle_attempt::{SettleError, settle_attempt};
pub use start_attempt::{StartAttempt, StartAttemptError, Started, start_attempt};
pub use take_commands::{ArrivedCommand, Taken, take_commands};
pub use void_attempts::void_attempts;
