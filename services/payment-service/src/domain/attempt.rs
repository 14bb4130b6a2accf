//! Attempts to pay: when one may start, and what the provider's answer makes of the payment.

use karcis_kernel::Timestamp;
use uuid::Uuid;

use super::{Fact, MAX_ATTEMPTS, Payment, State, Verdict};

/// Names one attempt to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub Uuid);

/// One attempt to pay with one method.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its id, which the provider's idempotency key is made of.
    pub id: AttemptId,
    /// When it started.
    pub at: Timestamp,
    /// The provider's token of what is paid with.
    pub method: String,
    /// How it ended; `None` until that is known.
    pub outcome: Option<AttemptOutcome>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The money came.
    Approved,
    /// No money.
    Declined(Decline),
    /// Taken back before any money moved.
    Voided,
    /// The money came after the payment had ended, or twice: it is on its way back.
    Returning,
    /// That money went back.
    Returned,
}

/// Why a provider declines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// Whether the same method may be tried again.
    pub kind: DeclineKind,
    /// The provider's word for it, such as `insufficient_funds`.
    pub code: String,
}

/// Whether a declined method may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclineKind {
    /// It may work later.
    Soft,
    /// It will not.
    Hard,
}

impl Decline {
    /// Whether the card is somebody else's: no other try is given.
    fn is_fraud(&self) -> bool {
        matches!(self.code.as_str(), "stolen_card" | "lost_card")
    }
}

/// What the provider says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money is captured.
    Approved,
    /// No money.
    Declined(Decline),
    /// The intent is voided and will never capture.
    Voided,
    /// Still pending, or no answer in time: neither a yes nor a no.
    Unknown,
}

/// Why no attempt can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartRefused {
    /// Another attempt's outcome is unknown.
    Unresolved,
    /// The money came before.
    Paid,
    /// It failed, was cancelled or refunded.
    Closed,
}

/// The payment with a new attempt at the provider.
pub fn start(
    payment: &Payment,
    id: AttemptId,
    at: Timestamp,
    method: &str,
) -> Result<Payment, StartRefused> {
    match payment.state {
        State::Open if payment.attempts_left() > 0 => {
            let mut started =
                payment.moved(State::Processing { attempt: id, cancel_wanted: false });
            started.attempts.push(Attempt { id, at, method: method.to_owned(), outcome: None });
            Ok(started)
        }
        State::Processing { .. } => Err(StartRefused::Unresolved),
        State::Succeeded => Err(StartRefused::Paid),
        State::Open
        | State::Failed { .. }
        | State::Cancelled
        | State::Refunding
        | State::Refunded => Err(StartRefused::Closed),
    }
}

/// What the provider's answer on attempt `id` makes of the payment.
pub fn resolve(payment: &Payment, id: AttemptId, outcome: &Outcome) -> Verdict {
    let Some(attempt) = payment.attempt(id) else { return Verdict::Unchanged };
    match (&attempt.outcome, outcome) {
        (_, Outcome::Unknown) => Verdict::Unchanged,
        (None, _) => first_answer(payment, id, outcome),
        (Some(AttemptOutcome::Declined(_) | AttemptOutcome::Voided), Outcome::Approved) => {
            late_money(payment, id)
        }
        (Some(_), _) => Verdict::Unchanged,
    }
}

fn first_answer(payment: &Payment, id: AttemptId, outcome: &Outcome) -> Verdict {
    let State::Processing { attempt, cancel_wanted } = payment.state else {
        return Verdict::Unchanged;
    };
    if attempt != id {
        return Verdict::Unchanged;
    }
    match outcome {
        Outcome::Approved => paid(payment, id),
        Outcome::Voided => {
            let ended = with_outcome(payment, id, AttemptOutcome::Voided);
            Verdict::changed(Payment { state: State::Cancelled, ..ended }, Fact::Cancelled)
        }
        Outcome::Declined(decline) => {
            let ended = with_outcome(payment, id, AttemptOutcome::Declined(decline.clone()));
            if decline.is_fraud() || payment.attempts.len() >= MAX_ATTEMPTS {
                let decline_code = decline.code.clone();
                let state = State::Failed { decline_code: decline_code.clone() };
                Verdict::changed(Payment { state, ..ended }, Fact::Failed { decline_code })
            } else if cancel_wanted {
                Verdict::changed(Payment { state: State::Cancelled, ..ended }, Fact::Cancelled)
            } else {
                Verdict::changed(Payment { state: State::Open, ..ended }, None)
            }
        }
        Outcome::Unknown => Verdict::Unchanged,
    }
}

/// The provider said no and then took the money: an open payment takes it as its own, any other
/// has ended or is being paid by another attempt, so it goes back.
fn late_money(payment: &Payment, id: AttemptId) -> Verdict {
    if payment.state == State::Open {
        return paid(payment, id);
    }
    let captured = payment.plus_amount(payment.captured);
    let returning = with_outcome(payment, id, AttemptOutcome::Returning);
    Verdict::changed(Payment { captured, ..returning }, None)
}

fn paid(payment: &Payment, id: AttemptId) -> Verdict {
    let captured = payment.plus_amount(payment.captured);
    let ended = with_outcome(payment, id, AttemptOutcome::Approved);
    Verdict::changed(
        Payment { state: State::Succeeded, captured, ..ended },
        Fact::Succeeded { captured: payment.terms.amount() },
    )
}

/// The payment one version on, with this outcome noted.
pub(super) fn with_outcome(payment: &Payment, id: AttemptId, outcome: AttemptOutcome) -> Payment {
    let mut next = payment.next();
    for attempt in next.attempts.iter_mut().filter(|attempt| attempt.id == id) {
        attempt.outcome = Some(outcome.clone());
    }
    next
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
