//! What the use cases need: the stored payments, and the payment provider.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{KeyUse, Loaded, PrivilegedAct, RequestKey, StoreError};
use karcis_kernel::{BookingId, Money, Timestamp, UserId};
use uuid::Uuid;

use crate::domain::{AttemptId, Fact, Outcome, Payment, PaymentRecord, RefundOutcome};

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
}

/// The stored payments, with those that need the provider.
#[async_trait]
pub trait WaitingPayments: Payments {
    /// A page of payments that need the provider: up to `limit` after booking `after`, in the order
    /// of their bookings.
    async fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Page, StoreError>;
}

/// What a payment needs the provider for.
#[derive(Clone, Copy, Debug)]
pub enum Waiting {
    /// Its attempt has no outcome and a cancel is wanted.
    Void,
    /// Its attempt has no outcome, and no cancel is wanted.
    Outcome {
        /// Only attempts that started before this time.
        before: Timestamp,
        /// Whether also attempts whose buyer still has time to act.
        with_actions: bool,
    },
    /// Money is to go back, and the provider has not refused that.
    Refund,
}

/// Some of the payments that need the provider.
pub struct Page {
    /// Without those that cannot be read.
    pub payments: Vec<Payment>,
    /// The booking after which the next page begins; `None` if this is the last page.
    pub next: Option<BookingId>,
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
}

impl Charge {
    /// What is asked for attempt `attempt` of `payment`; `None` if it has no such attempt.
    pub fn of(payment: &Payment, attempt: AttemptId) -> Option<Self> {
        let method = payment.attempt(attempt)?.method.clone();
        Some(Self {
            key: format!("charge/{}", attempt.0),
            intent: payment.booking_id,
            amount: payment.terms.amount(),
            method,
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
    /// The provider's token.
    pub token: &'static str,
    /// Its name for a person.
    pub label: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// The payment provider. Every call answers within the adapter's own timeout.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// The methods that the provider takes.
    fn methods(&self) -> &'static [Method];

    /// Charges once per key. Asked again with the same key, it gives the charge's outcome as it is
    /// now. Anything but a definite answer is [`Outcome::Unknown`].
    async fn charge(&self, charge: Charge) -> Outcome;

    /// Closes the intent for good: [`Outcome::Voided`], or [`Outcome::Approved`] if it had captured
    /// before. Anything but a definite answer is [`Outcome::Unknown`].
    async fn void(&self, intent: BookingId) -> Outcome;

    /// Gives the money back once per key. Asked again with the same key, it gives the refund's
    /// outcome as it is now.
    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable>;

    /// The keys of the charges whose money the intent has captured, also if it went back. It only reads:
    /// what is missing may still come.
    async fn captures(&self, intent: BookingId) -> Result<HashSet<String>, ProviderUnavailable>;
}

/// The stored payments, with what the provider left open.
#[async_trait]
pub trait UnsettledPayments: Payments {
    /// Up to `limit` attempts that began before this time and have no outcome, and refunds and
    /// reversals that the provider refuses, in the order of their bookings, after the one of this
    /// booking and attempt.
    async fn unsettled(
        &self,
        before: Timestamp,
        after: Option<(BookingId, Uuid)>,
        limit: u16,
    ) -> Result<Vec<Unsettled>, StoreError>;
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
    /// Why the provider refuses.
    pub refusal: Option<String>,
}
