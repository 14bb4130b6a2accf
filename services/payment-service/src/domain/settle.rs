//! What an operator records of what the provider left open: an attempt without an outcome, or a refund or
//! reversal that it refuses or does not answer.

use karcis_kernel::Bug;

use super::{
    AttemptId, AttemptOutcome, Decline, DeclineKind, Outcome, Payment, RefundKind, RefundOutcome,
    State, Verdict, attempt::with_outcome, due_refunds, is_refused, record_refund, resolve,
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
    /// The money that the provider did not give back was given back by hand.
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

/// What the settlement makes of the payment; `Unchanged` if nothing of that kind is open. `of` names the attempt
/// that it is about: without, it is about the one without an outcome, or the first refund or reversal that is
/// refused. `is_unanswered`: the provider gives no definite answer to refunds either.
pub fn settle(
    payment: &Payment,
    settlement: Settlement,
    of: Option<AttemptId>,
    is_unanswered: bool,
) -> Verdict {
    let code = || "settled_by_operator".to_owned();
    match settlement {
        Settlement::Approved => attempt(payment, of, &Outcome::Approved),
        Settlement::Declined => {
            let decline = Decline { kind: DeclineKind::Hard, code: code() };
            attempt(payment, of, &Outcome::Declined(decline))
        }
        Settlement::Voided => attempt(payment, of, &Outcome::Voided),
        Settlement::Refunded => match due(payment, of, is_unanswered) {
            Some(kind) => record_refund(payment, kind, &RefundOutcome::Done),
            None => Verdict::Unchanged,
        },
        Settlement::AskAgain => match due(payment, of, false) {
            Some(kind) => Verdict::changed(asked_again(payment, kind), None),
            None => Verdict::Unchanged,
        },
    }
}

fn attempt(payment: &Payment, of: Option<AttemptId>, outcome: &Outcome) -> Verdict {
    match payment.state {
        State::Processing { attempt, .. } if of.is_none_or(|it| it == attempt) => {
            resolve(payment, attempt, outcome)
        }
        _ => Verdict::Unchanged,
    }
}

fn asked_again(payment: &Payment, kind: RefundKind) -> Payment {
    let again = match kind {
        RefundKind::Requested => payment.transition(State::Refunding { refusal: None }),
        RefundKind::Reversal(id) => {
            with_outcome(payment, id, AttemptOutcome::Reversing { refusal: None })
        }
    };
    let another_key = u32::from(!Bug::RefusedKeyKept.is_planted());
    Payment { asked_again: again.asked_again + another_key, ..again }
}

/// The first refund, or the reversal of this attempt, that the provider refuses or does not answer.
fn due(payment: &Payment, of: Option<AttemptId>, is_unanswered: bool) -> Option<RefundKind> {
    let is_meant = |kind: RefundKind| of.is_none_or(|id| kind == RefundKind::Reversal(id));
    let mut due = due_refunds(payment).into_iter().map(|(kind, _)| kind);
    due.find(|kind| is_meant(*kind) && (is_unanswered || is_refused(payment, *kind)))
}
