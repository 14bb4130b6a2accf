//! The rules of a payment, as pure functions: commands, attempts, money that goes back.
#![deny(clippy::disallowed_methods)]

mod attempt;
mod command;
#[cfg(test)]
mod fixture;
mod give_back;
mod payment;

pub use attempt::StartRefused;
pub use attempt::{
    Attempt, AttemptId, AttemptOutcome, Decline, DeclineKind, Outcome, resolve, start,
};
pub use command::{Command, take};
pub use give_back::{GiveBack, owed, record_given_back};
pub use payment::{Entry, Fact, InvalidAmount, MAX_ATTEMPTS, Payment, State, Terms, Verdict};
