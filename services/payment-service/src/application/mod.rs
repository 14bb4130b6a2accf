//! What can be done with payments. Each use case decides many at a time.

mod ask_again;
mod ask_provider;
mod charge_attempt;
#[cfg(any(test, feature = "port-tests"))]
pub mod port_tests;
mod ports;
pub mod provider_tests;
mod record_outcomes;
mod settle_attempt;
mod start_attempt;
mod take_commands;
mod unit_of_work;

pub use ask_again::{AskError, ask_again};
pub use ask_provider::{AskReport, RefusedRefund, ask_provider};
pub use charge_attempt::charge_attempt;
pub use ports::{
    Change, Charge, Claimed, Method, OutcomeCount, Outcomes, PaymentGateway, Payments,
    ProviderUnavailable, Question, Refund, ReleasedClaim, Unsettled, UnsettledPayments,
    WaitingPayments, WrongSignature, attempt_of,
};
pub use record_outcomes::{AttemptAnswer, record_outcomes};
pub use settle_attempt::{SettleError, Settling, settle_attempt};
pub use start_attempt::{StartAttempt, StartAttemptError, Started, start_attempt};
pub use take_commands::{ArrivedCommand, Taken, take_commands};
