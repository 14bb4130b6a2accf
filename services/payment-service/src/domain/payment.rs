//! A booking's payment: what is asked, what was tried, what came and went back.

use karcis_kernel::{BookingId, Money, PaymentId, Timestamp, UserId};

use super::{Attempt, AttemptId, AttemptOutcome, NextAction, due_refunds};

/// How many attempts a buyer has.
pub const MAX_ATTEMPTS: usize = 3;

/// Far above any order, far enough below 2^63 that a few captures add up.
const MAX_AMOUNT: i64 = 100_000_000_000_000_000;

/// Who owes how much until when.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    user_id: UserId,
    amount: Money,
    pay_by: Timestamp,
}

/// An amount that cannot be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ask for an amount from 1 to 10^17")]
pub struct InvalidAmount;

impl Terms {
    /// These terms, if the amount can be charged.
    pub fn new(user_id: UserId, amount: Money, pay_by: Timestamp) -> Result<Self, InvalidAmount> {
        if !(1..=MAX_AMOUNT).contains(&amount.amount) {
            return Err(InvalidAmount);
        }
        Ok(Self { user_id, amount, pay_by })
    }

    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    pub fn amount(&self) -> Money {
        self.amount
    }

    /// When booking-service will cancel the payment if it is still open.
    pub fn pay_by(&self) -> Timestamp {
        self.pay_by
    }
}

/// What is stored for a booking.
#[derive(Clone, Debug, PartialEq)]
pub enum PaymentRecord {
    /// Cancelled before it was requested: a late request finds it and opens nothing.
    Tombstone {
        booking_id: BookingId,
        payment_id: PaymentId,
    },
    Payment(Payment),
}

impl PaymentRecord {
    /// The booking it belongs to.
    pub fn booking_id(&self) -> BookingId {
        match self {
            Self::Tombstone { booking_id, .. } => *booking_id,
            Self::Payment(payment) => payment.booking_id,
        }
    }

    /// The payment's id, which a tombstone has too.
    pub fn payment_id(&self) -> PaymentId {
        match self {
            Self::Tombstone { payment_id, .. } => *payment_id,
            Self::Payment(payment) => payment.payment_id,
        }
    }

    /// The payment, unless it is a tombstone.
    pub fn payment(&self) -> Option<&Payment> {
        match self {
            Self::Tombstone { .. } => None,
            Self::Payment(payment) => Some(payment),
        }
    }

    /// The payment by value, unless it is a tombstone.
    pub fn into_payment(self) -> Option<Payment> {
        match self {
            Self::Tombstone { .. } => None,
            Self::Payment(payment) => Some(payment),
        }
    }
}

/// A payment that was requested.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Identifies it: a booking has one payment.
    pub booking_id: BookingId,
    pub payment_id: PaymentId,
    pub terms: Terms,
    pub state: State,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// All that ever arrived.
    pub captured: Money,
    /// All that went back, refunds and reversals.
    pub refunded: Money,
    /// How often an operator had the provider asked again for what it had refused to give back.
    pub asked_again: u32,
    /// Rises by one with each change.
    pub version: i64,
}

/// Where a payment stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Succeeded,
    Open,
    Processing,
    /// Processing, and the buyer has to do something.
    ActionRequired,
    Failed,
    Cancelled,
    Refunding,
    Refunded,
}

impl Status {
    pub const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::Open,
        Self::Processing,
        Self::ActionRequired,
        Self::Failed,
        Self::Cancelled,
        Self::Refunding,
        Self::Refunded,
    ];

    /// The word for it in the database and over HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Open => "open",
            Self::Processing => "processing",
            Self::ActionRequired => "action_required",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
        }
    }
}

/// The states of a payment.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It can be paid.
    Open,
    /// An attempt is at the provider and has no outcome yet.
    Processing {
        attempt: AttemptId,
        /// Whether it is to be cancelled unless the money came.
        cancel_wanted: bool,
    },
    /// The full amount is captured.
    Succeeded,
    /// Declined for good.
    Failed { decline_code: String },
    /// Nothing was taken, and nothing will be.
    Cancelled,
    /// The refund is on its way, unless the provider has refused it.
    Refunding {
        /// Why the provider refuses: an operator has to settle it.
        refusal: Option<String>,
    },
    /// The refund was made.
    Refunded,
}

impl State {
    /// The status of a payment for which the buyer has nothing to do.
    pub fn status(&self) -> Status {
        match self {
            Self::Open => Status::Open,
            Self::Processing { .. } => Status::Processing,
            Self::Succeeded => Status::Succeeded,
            Self::Failed { .. } => Status::Failed,
            Self::Cancelled => Status::Cancelled,
            Self::Refunding { .. } => Status::Refunding,
            Self::Refunded => Status::Refunded,
        }
    }
}

/// What is published about a payment.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    Requested {
        amount: Money,
    },
    Succeeded {
        captured: Money,
    },
    Failed {
        decline_code: String,
    },
    Cancelled,
    Refunded {
        refunded: Money,
    },
    RefundRefused {
        reason: String,
    },
    /// Money that came too late or twice went back.
    Reversed {
        reversed: Money,
    },
}

/// What a command or an answer of the provider does.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It changes the record, and this fact is published.
    Changed(Box<PaymentRecord>, Option<Fact>),
    /// It is repeated: the fact is published again.
    Answered(Fact),
    /// It changes nothing and publishes nothing.
    Unchanged,
    /// It must not have been sent: an operator has to look.
    Alert,
}

impl Payment {
    /// The attempt with this id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// Whether the provider has to be asked about it: for an outcome, or to give money back.
    pub fn needs_provider(&self) -> bool {
        matches!(self.state, State::Processing { .. }) || !due_refunds(self).is_empty()
    }

    /// Whether it has ended, and its intent at the provider was left open: money can still come.
    pub fn leaves_intent_open(&self) -> bool {
        use AttemptOutcome::{Declined, Voided};
        let has = |is: fn(&AttemptOutcome) -> bool| {
            self.attempts.iter().any(|attempt| attempt.outcome.as_ref().is_some_and(is))
        };
        matches!(self.state, State::Cancelled | State::Failed { .. })
            && has(|it| matches!(it, Declined(_)))
            && !has(|it| matches!(it, Voided))
    }

    /// How many attempts the buyer has left.
    pub fn attempts_left(&self) -> usize {
        match self.state {
            State::Open | State::Processing { .. } => {
                MAX_ATTEMPTS.saturating_sub(self.attempts.len())
            }
            _ => 0,
        }
    }

    /// What the buyer has to do now; nothing once a cancel is wanted.
    pub fn next_action(&self) -> Option<&NextAction> {
        match self.state {
            State::Processing { attempt, cancel_wanted: false } => {
                self.attempt(attempt)?.next_action.as_ref()
            }
            _ => None,
        }
    }

    /// Its status as the buyer sees it.
    pub fn status(&self) -> Status {
        match self.next_action() {
            Some(_) => Status::ActionRequired,
            None => self.state.status(),
        }
    }

    /// The same payment with the next version.
    pub(crate) fn next_version(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// The same payment in this state, with the next version.
    pub(super) fn transition(&self, state: State) -> Self {
        Self { state, ..self.next_version() }
    }

    /// A sum plus the amount of the terms, which [`Terms::new`] keeps small enough to add.
    pub(super) fn plus_amount(&self, sum: Money) -> Money {
        Money::new(sum.amount + self.terms.amount.amount, sum.currency)
    }
}

impl Verdict {
    /// The record becomes this payment, and `fact` is published.
    pub(super) fn changed(payment: Payment, fact: impl Into<Option<Fact>>) -> Self {
        Self::Changed(Box::new(PaymentRecord::Payment(payment)), fact.into())
    }
}
