//! The rules of a payment, as pure functions: commands, attempts, refunds and reversals.

#![deny(clippy::disallowed_methods)]

mod attempt;
mod command;
mod payment;
mod refund;
mod settle;
#[cfg(test)]
mod tests;

pub use attempt::{
    Attempt, AttemptId, AttemptOutcome, BuyerAction, Decline, DeclineKind, NextAction, Outcome,
    OutcomeKind, StartRefusal, resolve, start,
};
pub use command::{Command, take};
pub use payment::{
    Fact, InvalidAmount, MAX_ATTEMPTS, Payment, PaymentRecord, State, Status, Terms, Verdict,
};
pub use refund::{RefundKind, RefundOutcome, due_refunds, is_refused, record_refund};
pub use settle::{Settlement, settle};
