//! Attempts to pay: when one may start, and what the provider's answer makes of the payment.

use karcis_kernel::{Bug, Timestamp};
use uuid::Uuid;

use super::{Fact, MAX_ATTEMPTS, Payment, State, Verdict};

/// Identifies one attempt to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub Uuid);

/// One attempt to pay with one method.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The provider's idempotency key is made of it.
    pub id: AttemptId,
    pub at: Timestamp,
    /// The provider's token of the method.
    pub method: String,
    /// `None` until it is known.
    pub outcome: Option<AttemptOutcome>,
    /// What the provider waits for; only while there is no outcome.
    pub next_action: Option<NextAction>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The money came.
    Approved,
    Declined(Decline),
    /// Cancelled at the provider before any money moved.
    Voided,
    /// The money came after the payment had ended, or twice: it is on its way back, unless the
    /// provider has refused that.
    Reversing {
        /// Why the provider refuses: an operator has to settle it.
        refusal: Option<String>,
    },
    /// That money went back.
    Reversed,
}

/// The ways in which an attempt can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    Approved,
    Declined,
    Voided,
    Reversing,
    Reversed,
}

impl OutcomeKind {
    pub const ALL: [Self; 5] =
        [Self::Approved, Self::Declined, Self::Voided, Self::Reversing, Self::Reversed];

    /// The word for it in the database and over HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Reversing => "returning",
            Self::Reversed => "returned",
        }
    }
}

impl AttemptOutcome {
    /// Which way the attempt ended.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Approved => OutcomeKind::Approved,
            Self::Declined(_) => OutcomeKind::Declined,
            Self::Voided => OutcomeKind::Voided,
            Self::Reversing { .. } => OutcomeKind::Reversing,
            Self::Reversed => OutcomeKind::Reversed,
        }
    }
}

/// A provider's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    pub kind: DeclineKind,
    /// The provider's word for why, such as `insufficient_funds`.
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
    /// Its intent had captured for another attempt.
    pub fn already_captured() -> Self {
        Self { kind: DeclineKind::Hard, code: "already_captured".to_owned() }
    }

    /// Whether the card belongs to another person: the buyer gets no further attempt.
    fn is_fraud(&self) -> bool {
        matches!(self.code.as_str(), "stolen_card" | "lost_card")
    }
}

/// What the buyer has to do before the provider can take the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextAction {
    pub action: BuyerAction,
    /// After this the provider declines the attempt.
    pub expires_at: Timestamp,
}

/// The ways in which a buyer can complete an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuyerAction {
    /// Open this page of the provider.
    Redirect { url: String },
    /// Transfer the amount to this account number.
    VirtualAccount { number: String },
    /// Scan the QR code that encodes this text.
    Qr { text: String },
}

/// What the provider says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money is captured.
    Approved,
    Declined(Decline),
    /// The intent has captured its money, for this attempt; `None`: under a key that is none of ours.
    AlreadyCaptured {
        by: Option<AttemptId>,
    },
    /// The intent is voided and will never capture.
    Voided,
    /// The buyer has to do something first.
    ActionRequired(NextAction),
    /// The provider is still working on it.
    Pending,
    /// The provider gave no definite answer in time.
    Unknown,
}

/// Why no attempt can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartRefusal {
    /// Another attempt has no outcome yet.
    Unresolved,
    /// The money came before.
    Paid,
    /// It failed, was cancelled or was refunded.
    Closed,
}

/// The payment with a new attempt.
pub fn start(
    payment: &Payment,
    id: AttemptId,
    at: Timestamp,
    method: &str,
) -> Result<Payment, StartRefusal> {
    let is_second =
        Bug::SecondAttempt.is_planted() && matches!(payment.state, State::Processing { .. });
    match payment.state {
        State::Open | State::Processing { .. }
            if payment.attempts_left() > 0 && (payment.state == State::Open || is_second) =>
        {
            let mut started =
                payment.transition(State::Processing { attempt: id, cancel_wanted: false });
            let method = method.to_owned();
            started.attempts.push(Attempt { id, at, method, outcome: None, next_action: None });
            Ok(started)
        }
        State::Processing { .. } => Err(StartRefusal::Unresolved),
        State::Succeeded => Err(StartRefusal::Paid),
        State::Open
        | State::Failed { .. }
        | State::Cancelled
        | State::Refunding { .. }
        | State::Refunded => Err(StartRefusal::Closed),
    }
}

/// What the provider's answer on attempt `id` makes of the payment.
pub fn resolve(payment: &Payment, id: AttemptId, outcome: &Outcome) -> Verdict {
    let Some(attempt) = payment.attempt(id) else { return Verdict::Unchanged };
    match (&attempt.outcome, outcome) {
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
        Outcome::AlreadyCaptured { by } => captured_before(payment, id, *by),
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
        Outcome::ActionRequired(action) => waits_for(payment, id, Some(action)),
        Outcome::Pending => waits_for(payment, id, None),
        Outcome::Unknown => Verdict::Unchanged,
    }
}

/// The intent has captured, whatever attempt `id` has done. Its money counts once, and pays what it was captured
/// for, or the payment of which a restored database has lost that attempt.
fn captured_before(payment: &Payment, id: AttemptId, by: Option<AttemptId>) -> Verdict {
    use AttemptOutcome::{Declined, Voided};
    let decline = Decline::already_captured();
    match by.and_then(|by| payment.attempt(by)) {
        Some(attempt) if attempt.id == id => paid(payment, id),
        Some(Attempt { id: earlier, outcome: Some(Declined(_) | Voided), .. }) => {
            let mut declined = payment.clone();
            set_outcome(&mut declined, id, Declined(decline));
            paid(&declined, *earlier)
        }
        None if payment.captured.amount == 0 => paid(payment, id),
        Some(_) | None => first_answer(payment, id, &Outcome::Declined(decline)),
    }
}

fn waits_for(payment: &Payment, id: AttemptId, next_action: Option<&NextAction>) -> Verdict {
    if payment.attempt(id).is_some_and(|attempt| attempt.next_action.as_ref() == next_action) {
        return Verdict::Unchanged;
    }
    let with_action = with_attempt(payment, id, |attempt| {
        attempt.next_action = next_action.cloned();
    });
    Verdict::changed(with_action, None)
}

/// The provider said no and then took the money. A payment that is still open is paid by it. Any
/// other has ended or is being paid by another attempt, so the money goes back.
fn late_money(payment: &Payment, id: AttemptId) -> Verdict {
    if payment.state == State::Open {
        return paid(payment, id);
    }
    let captured = payment.plus_amount(payment.captured);
    let reversing = with_outcome(payment, id, AttemptOutcome::Reversing { refusal: None });
    Verdict::changed(Payment { captured, ..reversing }, None)
}

fn paid(payment: &Payment, id: AttemptId) -> Verdict {
    let captured = payment.plus_amount(payment.captured);
    let ended = with_outcome(payment, id, AttemptOutcome::Approved);
    Verdict::changed(
        Payment { state: State::Succeeded, captured, ..ended },
        Fact::Succeeded { captured: payment.terms.amount() },
    )
}

/// The payment with this outcome of the attempt, and the next version.
pub(super) fn with_outcome(payment: &Payment, id: AttemptId, outcome: AttemptOutcome) -> Payment {
    let mut next = payment.next_version();
    set_outcome(&mut next, id, outcome);
    next
}

fn set_outcome(payment: &mut Payment, id: AttemptId, outcome: AttemptOutcome) {
    if let Some(attempt) = payment.attempts.iter_mut().find(|attempt| attempt.id == id) {
        (attempt.outcome, attempt.next_action) = (Some(outcome), None);
    }
}

fn with_attempt(payment: &Payment, id: AttemptId, change: impl FnOnce(&mut Attempt)) -> Payment {
    let mut next = payment.next_version();
    if let Some(attempt) = next.attempts.iter_mut().find(|attempt| attempt.id == id) {
        change(attempt);
    }
    next
}
