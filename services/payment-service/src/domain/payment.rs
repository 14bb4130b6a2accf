//! A booking's payment: what is asked, what was tried, what came and went back.

use karcis_kernel::{BookingId, Money, PaymentId, Timestamp, UserId};

use super::{Attempt, AttemptId};

/// How often a buyer may try.
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

/// An amount nobody can be charged.
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

    /// Who pays.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// How much.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// When booking-service will cancel the payment if it is still open.
    pub fn pay_by(&self) -> Timestamp {
        self.pay_by
    }
}

/// What is kept of a booking's payment.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Cancelled before it was requested: a late request finds it and stays out.
    Tombstone {
        /// The booking.
        booking_id: BookingId,
        /// The id the refusal is told under.
        payment_id: PaymentId,
    },
    /// A payment that was requested.
    Payment(Payment),
}

impl Entry {
    /// The booking.
    pub fn booking_id(&self) -> BookingId {
        match self {
            Self::Tombstone { booking_id, .. } => *booking_id,
            Self::Payment(payment) => payment.booking_id,
        }
    }

    /// The payment's id.
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

    /// As [`Self::payment`], for keeps.
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
    /// The booking, which identifies it.
    pub booking_id: BookingId,
    /// Its own id.
    pub payment_id: PaymentId,
    /// Who owes how much until when.
    pub terms: Terms,
    /// Where it stands.
    pub state: State,
    /// What was tried, oldest first.
    pub attempts: Vec<Attempt>,
    /// All that ever arrived.
    pub captured: Money,
    /// All that went back, refunded or returned.
    pub refunded: Money,
    /// Rises with each change.
    pub version: i64,
}

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It can be paid.
    Open,
    /// An attempt is at the provider and its outcome unknown.
    Processing {
        /// The attempt.
        attempt: AttemptId,
        /// Whether it is to be cancelled unless the money came.
        cancel_wanted: bool,
    },
    /// All of it is captured.
    Succeeded,
    /// Declined for good.
    Failed {
        /// The provider's word for why.
        decline_code: String,
    },
    /// Nothing was taken, nor will be.
    Cancelled,
    /// The money is on its way back.
    Refunding,
    /// The money went back.
    Refunded,
}

/// What is told of a payment.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// It can be paid now.
    Requested {
        /// How much is asked.
        amount: Money,
    },
    /// All of it is captured.
    Succeeded {
        /// What was captured.
        captured: Money,
    },
    /// It was declined for good.
    Failed {
        /// The provider's word for why.
        decline_code: String,
    },
    /// Nothing was taken, nor will be.
    Cancelled,
    /// All captured money went back.
    Refunded {
        /// What went back.
        refunded: Money,
    },
    /// Money that came too late or twice went back.
    Returned {
        /// What went back.
        returned: Money,
    },
}

/// What a command or an answer of the provider does.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It changes the payment, and this is told.
    Changed(Box<Entry>, Option<Fact>),
    /// It is repeated: the answer is told again.
    Answered(Fact),
    /// It changes nothing and there is nothing to tell, now or any more.
    Unchanged,
    /// It must not have been sent: somebody has to look.
    Alert,
}

impl Payment {
    /// The attempt of this id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// How often the buyer may still try.
    pub fn attempts_left(&self) -> usize {
        match self.state {
            State::Open | State::Processing { .. } => {
                MAX_ATTEMPTS.saturating_sub(self.attempts.len())
            }
            _ => 0,
        }
    }

    /// The same payment one version on.
    pub(super) fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// The same payment one version on, in this state.
    pub(super) fn moved(&self, state: State) -> Self {
        Self { state, ..self.next() }
    }

    /// The sum of a booked amount and the amount of the terms, which [`Terms::new`] keeps small.
    pub(super) fn plus_amount(&self, booked: Money) -> Money {
        Money::new(booked.amount + self.terms.amount.amount, booked.currency)
    }
}

impl Verdict {
    /// The payment becomes this, and `fact` is told.
    pub(super) fn changed(payment: Payment, fact: impl Into<Option<Fact>>) -> Self {
        Self::Changed(Box::new(Entry::Payment(payment)), fact.into())
    }
}
