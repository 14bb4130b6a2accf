//! What an operator records of what the provider left open: an attempt without an outcome, or a refund or
//! reversal that it refuses.

use super::{
    AttemptOutcome, Decline, DeclineKind, Outcome, Payment, RefundKind, RefundOutcome, State,
    Verdict, attempt::with_outcome, due_refunds, is_refused, record_refund, resolve,
};

/// What the provider says, or what was done by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The attempt's money is captured.
    Approved,
    /// The attempt was declined.
    Declined,
    /// The attempt's intent is voided and will never capture.
    Voided,
    /// The money that the provider refused to give back was given back by hand.
    Refunded,
    /// The provider refused by mistake: it is to be asked for the money again.
    AskAgain,
}

impl Settlement {
    /// Every settlement.
    pub const ALL: [Self; 5] =
        [Self::Approved, Self::Declined, Self::Voided, Self::Refunded, Self::AskAgain];

    /// The word for it over HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Refunded => "refunded",
            Self::AskAgain => "ask_again",
        }
    }
}

/// What the settlement makes of the payment; `Unchanged` if nothing of that kind is open. Of several
/// refused refunds and reversals the first is settled.
pub fn settle(payment: &Payment, settlement: Settlement) -> Verdict {
    let code = || "settled_by_operator".to_owned();
    match settlement {
        Settlement::Approved => attempt(payment, &Outcome::Approved),
        Settlement::Declined => {
            let decline = Decline { kind: DeclineKind::Hard, code: code() };
            attempt(payment, &Outcome::Declined(decline))
        }
        Settlement::Voided => attempt(payment, &Outcome::Voided),
        Settlement::Refunded => match refused(payment) {
            Some(kind) => record_refund(payment, kind, &RefundOutcome::Done),
            None => Verdict::Unchanged,
        },
        Settlement::AskAgain => match refused(payment) {
            Some(RefundKind::Requested) => {
                Verdict::changed(payment.transition(State::Refunding { refusal: None }), None)
            }
            Some(RefundKind::Reversal(id)) => {
                let again = AttemptOutcome::Reversing { refusal: None };
                Verdict::changed(with_outcome(payment, id, again), None)
            }
            None => Verdict::Unchanged,
        },
    }
}

fn attempt(payment: &Payment, outcome: &Outcome) -> Verdict {
    match payment.state {
        State::Processing { attempt, .. } => resolve(payment, attempt, outcome),
        _ => Verdict::Unchanged,
    }
}

/// The first refund or reversal that the provider refuses.
fn refused(payment: &Payment) -> Option<RefundKind> {
    let mut due = due_refunds(payment).into_iter().map(|(kind, _)| kind);
    due.find(|kind| is_refused(payment, *kind))
}
