//! A payment as its buyer sees it.

use karcis_kernel::{BookingId, Money, PaymentId, Timestamp};
use serde::Serialize;

use crate::domain::{Attempt, AttemptOutcome, Payment, State};

/// The body of an answer.
#[derive(Serialize)]
pub(super) struct PaymentJson {
    payment_id: PaymentId,
    booking_id: BookingId,
    version: i64,
    status: &'static str,
    amount: Money,
    captured: Money,
    refunded: Money,
    attempts: Vec<AttemptJson>,
    attempts_left: usize,
    pay_by: Timestamp,
    next_action: Option<()>,
}

#[derive(Serialize)]
struct AttemptJson {
    at: Timestamp,
    method: String,
    /// Null until it is known.
    outcome: Option<&'static str>,
    decline_code: Option<String>,
}

impl From<&Payment> for PaymentJson {
    fn from(payment: &Payment) -> Self {
        Self {
            payment_id: payment.payment_id,
            booking_id: payment.booking_id,
            version: payment.version,
            status: status_word(&payment.state),
            amount: payment.terms.amount(),
            captured: payment.captured,
            refunded: payment.refunded,
            attempts: payment.attempts.iter().map(AttemptJson::from).collect(),
            attempts_left: payment.attempts_left(),
            pay_by: payment.terms.pay_by(),
            next_action: None,
        }
    }
}

impl From<&Attempt> for AttemptJson {
    fn from(attempt: &Attempt) -> Self {
        let (outcome, decline_code) = match &attempt.outcome {
            None => (None, None),
            Some(AttemptOutcome::Approved) => (Some("approved"), None),
            Some(AttemptOutcome::Declined(why)) => (Some("declined"), Some(why.code.clone())),
            Some(AttemptOutcome::Voided) => (Some("voided"), None),
            Some(AttemptOutcome::Returning) => (Some("returning"), None),
            Some(AttemptOutcome::Returned) => (Some("returned"), None),
        };
        Self { at: attempt.at, method: attempt.method.clone(), outcome, decline_code }
    }
}

/// The public word for a state.
pub(super) fn status_word(state: &State) -> &'static str {
    match state {
        State::Open => "open",
        State::Processing { .. } => "processing",
        State::Succeeded => "succeeded",
        State::Failed { .. } => "failed",
        State::Cancelled => "cancelled",
        State::Refunding => "refunding",
        State::Refunded => "refunded",
    }
}
