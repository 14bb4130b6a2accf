//! Money that goes back: refunds that the saga asked for, and reversals of money that came too late
//! or twice.

use karcis_kernel::{BookingId, Bug, Money};

use super::{AttemptId, AttemptOutcome, Fact, Payment, State, Verdict, attempt::with_outcome};

/// Why money goes back to the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundKind {
    /// The saga asked for all that paid for the booking.
    Requested,
    /// This attempt took money too late or twice.
    Reversal(AttemptId),
}

impl RefundKind {
    /// The provider's idempotency key: the same key gives the money back once. What is asked for again after
    /// a refusal has another key, as the provider would repeat what it has said.
    pub fn key(self, booking_id: BookingId, asked_again: u32) -> String {
        let key = match self {
            Self::Requested => format!("refund/{booking_id}"),
            Self::Reversal(AttemptId(id)) => format!("return/{id}"),
        };
        if asked_again == 0 { key } else { format!("{key}/{asked_again}") }
    }
}

/// What the provider says of a refund or a reversal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money went back.
    Done,
    /// The provider is still working on it.
    Pending,
    /// The provider will not do it: an operator has to look.
    Refused { reason: String },
}

/// What is to go back, each with its amount: what the provider has refused too, as it may change its mind.
pub fn due_refunds(payment: &Payment) -> Vec<(RefundKind, Money)> {
    let is_requested = matches!(payment.state, State::Refunding { .. });
    let requested = is_requested.then_some(RefundKind::Requested);
    let reversals = payment
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.outcome, Some(AttemptOutcome::Reversing { .. })))
        .map(|attempt| RefundKind::Reversal(attempt.id));
    requested.into_iter().chain(reversals).map(|kind| (kind, payment.terms.amount())).collect()
}

/// What the provider's answer on a refund makes of the payment.
pub fn record_refund(payment: &Payment, kind: RefundKind, outcome: &RefundOutcome) -> Verdict {
    let Some(refusal) = refusal(payment, kind) else { return Verdict::Unchanged };
    match (outcome, refusal) {
        _ if Bug::RefundForgotten.is_planted() => Verdict::Unchanged,
        (RefundOutcome::Done, _) => done(payment, kind),
        (RefundOutcome::Refused { reason }, None) => refused(payment, kind, reason),
        (RefundOutcome::Refused { .. }, Some(_)) | (RefundOutcome::Pending, _) => {
            Verdict::Unchanged
        }
    }
}

/// Whether the provider has refused this refund or reversal, which is not done.
pub fn is_refused(payment: &Payment, kind: RefundKind) -> bool {
    matches!(refusal(payment, kind), Some(Some(_)))
}

/// The refusal so far of a refund that is not done; `None` if there is no such refund.
fn refusal(payment: &Payment, kind: RefundKind) -> Option<&Option<String>> {
    match kind {
        RefundKind::Requested => match &payment.state {
            State::Refunding { refusal } => Some(refusal),
            _ => None,
        },
        RefundKind::Reversal(id) => match &payment.attempt(id)?.outcome {
            Some(AttemptOutcome::Reversing { refusal }) => Some(refusal),
            _ => None,
        },
    }
}

fn done(payment: &Payment, kind: RefundKind) -> Verdict {
    let refunded = payment.plus_amount(payment.refunded);
    let amount = payment.terms.amount();
    match kind {
        RefundKind::Requested => Verdict::changed(
            Payment { refunded, ..payment.transition(State::Refunded) },
            Fact::Refunded { refunded: amount },
        ),
        RefundKind::Reversal(id) => Verdict::changed(
            Payment { refunded, ..with_outcome(payment, id, AttemptOutcome::Reversed) },
            Fact::Reversed { reversed: amount },
        ),
    }
}

/// Only the refusal of a refund is published: the saga has moved on without a reversal.
fn refused(payment: &Payment, kind: RefundKind, reason: &str) -> Verdict {
    let refusal = Some(reason.to_owned());
    match kind {
        RefundKind::Requested => Verdict::changed(
            payment.transition(State::Refunding { refusal }),
            Fact::RefundRefused { reason: reason.to_owned() },
        ),
        RefundKind::Reversal(id) => {
            Verdict::changed(with_outcome(payment, id, AttemptOutcome::Reversing { refusal }), None)
        }
    }
}
