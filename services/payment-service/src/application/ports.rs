//! What the use cases need: the stored payments, and the payment provider.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{KeyUse, Loaded, PrivilegedAct, RequestKey, StoreError};
use karcis_kernel::{BookingId, Currency, Money, Timestamp, UserId};
use uuid::Uuid;

use crate::domain::{
    AttemptId, Fact, Outcome, Payment, PaymentRecord, RefundKind, RefundOutcome, State,
    due_refunds, is_refused,
};

/// A change of one payment, decided on what was loaded.
#[derive(Clone)]
pub struct Change {
    /// `None` if there was no record.
    pub before: Option<PaymentRecord>,
    /// Equal to `before` where only facts are published again or a key is kept.
    pub after: PaymentRecord,
    /// What is published, in order.
    pub facts: Vec<Fact>,
    /// The keys that it uses up.
    pub keys: Vec<KeyUse>,
    /// What an operator did.
    pub act: Option<PrivilegedAct>,
}

/// What a change means for those who ask the provider about the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The provider is to be asked at once: to void, or to give money back.
    Due,
    /// An operator has ended an attempt, or wants to know, or the payment has ended and its intent is open: the
    /// provider is asked at once whether money comes after all.
    LookUp,
    /// The request that has started an attempt asks first.
    Started,
    /// Who was asking has the answer.
    Answered,
}

impl Change {
    /// What it means for those who ask the provider; `None` if nothing.
    pub fn question(&self) -> Option<Question> {
        let (before, after) = (self.before.as_ref()?.payment()?, self.after.payment()?);
        let due = |payment: &Payment| -> Vec<RefundKind> {
            due_refunds(payment).into_iter().map(|(kind, _)| kind).collect()
        };
        // Without those that are refused: an operator may want one asked for again.
        let wanted = |payment| -> Vec<RefundKind> {
            due(payment).into_iter().filter(|kind| !is_refused(payment, *kind)).collect()
        };
        let has_more = |these: Vec<RefundKind>, than: Vec<RefundKind>| {
            these.iter().any(|kind| !than.contains(kind))
        };
        let unresolved = |payment: &Payment| match payment.state {
            State::Processing { attempt, cancel_wanted } => Some((attempt, cancel_wanted)),
            _ => None,
        };
        match (unresolved(before), unresolved(after)) {
            _ if has_more(wanted(after), wanted(before)) => Some(Question::Due),
            (Some((_, false)), Some((_, true))) => Some(Question::Due),
            (None, Some((_, true))) => Some(Question::Due),
            (None, Some((_, false))) => Some(Question::Started),
            _ if after.leaves_intent_open() && !before.leaves_intent_open() => {
                Some(Question::LookUp)
            }
            (Some(_), None) if self.act.is_some() => Some(Question::LookUp),
            (Some(_), None) => Some(Question::Answered),
            (None, None) if has_more(due(before), due(after)) => Some(Question::Answered),
            // It is changed in nothing, but for an operator who wants the provider asked.
            _ if self.act.is_some() && before.next_version() == *after => Some(Question::LookUp),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}

/// The stored payments.
#[async_trait]
pub trait Payments: Send + Sync {
    /// The records of these bookings; a booking without one is left out, unreadable ones are named
    /// by their booking.
    async fn load(&self, bookings: &[BookingId]) -> Result<Loaded<PaymentRecord>, StoreError>;

    /// What these keys were used for in the 24 h before `now`; unused ones are left out.
    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError>;

    /// Saves every change with its facts and keys, in one transaction. A change whose record was
    /// changed since it was loaded, or whose key was used meanwhile, is left out; its booking is
    /// returned.
    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError>;

    /// Whether the request under `key` was answered while its attempt had no outcome.
    async fn answered_processing(&self, key: &RequestKey) -> Result<bool, StoreError>;

    /// Records that the request was answered while its attempt had no outcome.
    async fn mark_answered_processing(&self, key: &RequestKey) -> Result<(), StoreError>;

    /// Ends claims, also those of requests that have started an attempt. The provider is asked again later
    /// with each time, after up to 5 min, or a second later if [`Self::ask_soon`] has come meanwhile.
    async fn release(&self, claims: &[ReleasedClaim]) -> Result<(), StoreError>;

    /// Has the provider asked as soon as nobody is asking, and not for a second. `look_up`: about attempts
    /// that have ended, too. Whether there is an attempt to ask about.
    async fn ask_soon(&self, booking: BookingId, look_up: bool) -> Result<bool, StoreError>;
}

/// The stored payments, with those that need the provider.
#[async_trait]
pub trait WaitingPayments: Payments {
    /// Up to `limit` payments that need the provider and are due, those first that are due longest: those
    /// whose money is to go back if `refunds`, else the others. Nobody else gets them until they are released
    /// ([`Payments::release`]) or the provider must have answered. What cannot be read is left out.
    async fn claim(&self, refunds: bool, limit: u16) -> Result<Vec<Claimed>, StoreError>;
}

/// A payment about which the provider is to be asked.
pub struct Claimed {
    pub payment: Payment,
    /// Until when nobody else gets it.
    pub until: Timestamp,
    /// Whether it is to be asked about attempts that have ended, too.
    pub look_up: bool,
}

/// A payment about which the provider was asked, and may have to be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedClaim {
    pub booking_id: BookingId,
    /// The payment's version after the answer.
    pub version: i64,
    /// The claim ([`Claimed::until`]) under which it became known, and was stored, what became of attempts
    /// that had ended; of a claim that has run out, another may have to look again.
    pub looked_up: Option<Timestamp>,
    /// Why the provider gave no definite answer about money that is to go back.
    pub unanswered: Option<String>,
}

/// How the keys of charges begin; the attempt's id follows.
const CHARGE: &str = "charge/";

/// The attempt of the charge with this key.
pub fn attempt_of(key: &str) -> Option<AttemptId> {
    key.strip_prefix(CHARGE)?.parse().ok().map(AttemptId)
}

/// A charge as the provider is asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// The provider's idempotency key: the same key is one charge and has one outcome.
    pub key: String,
    /// The provider has one intent for each booking.
    pub intent: BookingId,
    pub amount: Money,
    /// The token of the method.
    pub method: String,
    /// When the booking is cancelled if it is not paid by then.
    pub pay_by: Timestamp,
}

impl Charge {
    /// What is asked for attempt `attempt` of `payment`; `None` if it has no such attempt.
    pub fn of(payment: &Payment, attempt: AttemptId) -> Option<Self> {
        let method = payment.attempt(attempt)?.method.clone();
        Some(Self {
            key: format!("{CHARGE}{}", attempt.0),
            intent: payment.booking_id,
            amount: payment.terms.amount(),
            method,
            pay_by: payment.terms.pay_by(),
        })
    }
}

/// A refund as the provider is asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refund {
    /// The provider's idempotency key: the same key gives money back once.
    pub key: String,
    /// The provider has one intent for each booking.
    pub intent: BookingId,
    pub amount: Money,
}

/// The provider did not answer in time, or not with a definite answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the payment provider is unavailable: {0}")]
pub struct ProviderUnavailable(pub String);

/// A method that a buyer can pay with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The provider's token, or how its tokens begin.
    pub token: &'static str,
    /// Its name for a person.
    pub label: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// The payment provider. Every call answers within the adapter's own timeout.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// The methods that the provider takes, for people who choose one.
    fn methods(&self) -> &'static [Method];

    /// Whether this is the token of a method that the provider takes.
    fn accepts(&self, token: &str) -> bool;

    /// Charges once per key. Asked again with the same key, it gives the charge's outcome as it is
    /// now. Anything but a definite answer is [`Outcome::Unknown`].
    async fn charge(&self, charge: Charge) -> Outcome;

    /// Closes the intent for good: [`Outcome::Voided`], or [`Outcome::AlreadyCaptured`] if it had captured
    /// before. Anything but a definite answer is [`Outcome::Unknown`].
    async fn void(&self, intent: BookingId) -> Outcome;

    /// Gives the money back once per key. Asked again with the same key, it gives the refund's
    /// outcome as it is now.
    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable>;

    /// The keys of the charges whose money the intent has captured, also if it went back. It only reads:
    /// what is missing may still come.
    async fn captures(&self, intent: BookingId) -> Result<HashSet<String>, ProviderUnavailable>;

    /// How much of the intent's money went back, without what is still on its way. It only reads.
    async fn refunded(
        &self,
        intent: BookingId,
        currency: Currency,
    ) -> Result<Money, ProviderUnavailable>;

    /// The intent that a webhook is about, if its signature is right; `None` if it is about nothing that
    /// is known here. `header` gives the value of a header.
    fn read_webhook(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<BookingId>, WrongSignature>;
}

/// A webhook is not the provider's, or too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongSignature {
    #[error("sign the webhook")]
    Missing,
    #[error("sign the time and the body as they are sent, with a secret that is configured here")]
    Wrong,
    #[error("send a webhook within 300 s of signing it")]
    TooOld,
}

/// The stored payments, with what the provider left open.
#[async_trait]
pub trait UnsettledPayments: Payments {
    /// Up to `limit` attempts that began before this time, have no outcome and do not wait for their
    /// buyer, and refunds and reversals that the provider refuses or does not answer, those of the newest
    /// booking first, after the one of this booking and attempt.
    async fn unsettled(
        &self,
        before: Timestamp,
        after: Option<(BookingId, Uuid)>,
        limit: u16,
    ) -> Result<Vec<Unsettled>, StoreError>;

    /// Keeps the provider from being asked about the payment for a while; `None` if it is being asked. Whether
    /// it gave no definite answer about money that is to go back.
    async fn hold(&self, booking: BookingId) -> Result<Option<bool>, StoreError>;

    /// Whether this very act is recorded.
    async fn is_recorded(&self, act: &PrivilegedAct) -> Result<bool, StoreError>;
}

/// What came of the attempts to pay.
#[async_trait]
pub trait Outcomes: Send + Sync {
    /// Of the attempts that began after this time, of 100,000 at most, the most frequent first.
    async fn outcomes(&self, since: Timestamp) -> Result<Vec<OutcomeCount>, StoreError>;
}

/// How many attempts had one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeCount {
    /// `None` while there is none.
    pub outcome: Option<String>,
    /// Why they were declined.
    pub decline_code: Option<String>,
    pub attempts: i64,
}

/// Something that the provider left open.
#[derive(Clone, Debug)]
pub struct Unsettled {
    pub booking_id: BookingId,
    pub user_id: UserId,
    pub amount: Money,
    /// `attempt`, `refund` or `reversal`.
    pub what: &'static str,
    /// Nil of a refund.
    pub attempt_id: Uuid,
    /// When the attempt began.
    pub at: Option<Timestamp>,
    pub cancel_wanted: bool,
    /// Why the provider refuses, or why its answer says nothing.
    pub refusal: Option<String>,
}
