//! What the use cases need of the world: the stored payments, and the provider.

use std::time::Duration;

use async_trait::async_trait;
use karcis_kernel::{BookingId, Money, Timestamp, UserId};

use crate::domain::{AttemptId, Entry, Fact, Outcome, Payment};

/// How long an idempotency key is remembered.
pub const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

pub use karcis_database::StoreError;

/// A buyer's name for one request.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey {
    /// The buyer: keys of two buyers never meet.
    pub user_id: UserId,
    /// The `Idempotency-Key`.
    pub key: String,
}

/// What a request under a key led to.
#[derive(Clone)]
pub struct KeyUse {
    /// The key.
    pub key: RequestKey,
    /// What the request said; the same key with another fingerprint is a mistake.
    pub fingerprint: Vec<u8>,
    /// The attempt it started; `None` where the booking was paid before.
    pub attempt: Option<AttemptId>,
    /// Whether it was answered while the attempt was still running.
    pub answered_processing: bool,
    /// When it was used.
    pub at: Timestamp,
}

/// A change of one payment, decided on what was loaded.
pub struct Change {
    /// What was loaded; `None` if there was nothing.
    pub before: Option<Entry>,
    /// What it becomes; equal to `before` where only facts are told again or a key is kept.
    pub after: Entry,
    /// What is told, in order.
    pub facts: Vec<Fact>,
    /// The keys it uses up.
    pub keys: Vec<KeyUse>,
}

/// The stored payments.
#[async_trait]
pub trait Payments: Send + Sync {
    /// What is known of these bookings; unknown ones are left out.
    async fn load(&self, bookings: &[BookingId]) -> Result<Vec<Entry>, StoreError>;

    /// What these keys were used for after `since`; unused ones are left out.
    async fn keys(&self, keys: &[RequestKey], since: Timestamp) -> Result<Vec<KeyUse>, StoreError>;

    /// Saves every change with its facts and keys, in one transaction. A change whose payment
    /// moved since it was loaded, or whose key was used meanwhile, is left out; its booking is
    /// returned.
    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<BookingId>, StoreError>;

    /// Notes that the request under `key` was answered while its attempt was running.
    async fn answered_processing(&self, key: &RequestKey) -> Result<(), StoreError>;

    /// Up to `limit` payments after booking `after`, in the order of their bookings, that need
    /// the provider.
    async fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: i64,
    ) -> Result<Vec<Payment>, StoreError>;

    /// Forgets the keys used before `since`.
    async fn forget_keys(&self, since: Timestamp) -> Result<(), StoreError>;
}

/// What a payment needs the provider for.
#[derive(Clone, Copy, Debug)]
pub enum Waiting {
    /// Its attempt is unresolved and a cancel is wanted.
    Void,
    /// Its attempt started before this time, is unresolved, and no cancel is wanted.
    Answer(Timestamp),
    /// Money is to go back.
    MoneyBack,
}

/// A request to start an attempt.
#[derive(Clone)]
pub struct StartAttempt {
    /// The new attempt's id.
    pub attempt: AttemptId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who wants to pay.
    pub user_id: UserId,
    /// The provider's token of what to pay with.
    pub method: String,
    /// The request's idempotency key with its fingerprint.
    pub key: Option<(RequestKey, Vec<u8>)>,
    /// The time now.
    pub at: Timestamp,
}

/// What became of a request to start an attempt.
#[derive(Clone)]
pub enum Started {
    /// It is stored: charge it.
    Charge(Payment),
    /// The money came before; nothing is to be charged.
    Paid(Payment),
    /// The request was made before.
    Repeated(Payment, KeyUse),
}

/// Why an attempt is not started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProcessPaymentError {
    /// The key names another request.
    #[error("use a new key for a new request")]
    KeyReused,
    /// There is no such payment of this buyer, or not yet.
    #[error("there is nothing to pay")]
    NotPayable,
    /// Another attempt's outcome is unknown.
    #[error("wait for the attempt that is running")]
    Unresolved,
    /// It failed, was cancelled or refunded.
    #[error("the payment is closed")]
    Closed,
    /// It may work later.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the provider said of a payment's attempt.
#[derive(Clone)]
pub struct Answered {
    /// The payment as last seen.
    pub payment: Payment,
    /// The attempt.
    pub attempt: AttemptId,
    /// The provider's answer.
    pub outcome: Outcome,
}

/// Writes the two ends of attempts, those of many buyers together.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// Stores the attempt before the provider hears of it.
    async fn start(&self, start: StartAttempt) -> Result<Started, ProcessPaymentError>;

    /// Stores the provider's answer with its fact; the payment as it then is.
    async fn record(&self, answered: Answered) -> Result<Payment, StoreError>;
}

/// A charge as the provider is asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// The provider's idempotency key: the same key is one charge and has one answer.
    pub key: String,
    /// The booking, for which the provider has one intent.
    pub intent: BookingId,
    /// How much.
    pub amount: Money,
    /// The token of what to pay with.
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
    /// The booking, for which the provider has one intent.
    pub intent: BookingId,
    /// How much.
    pub amount: Money,
}

/// The provider did not do it, or did not say so in time.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the payment provider is unavailable: {0}")]
pub struct ProviderUnavailable(pub String);

/// A method a buyer can pay with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The provider's token.
    pub token: &'static str,
    /// Its name for a person.
    pub label: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// The payment provider. Every call answers within a time-out of the adapter's own.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// What it takes.
    fn methods(&self) -> &'static [Method];

    /// Charges once per key. Anything but a definite answer is [`Outcome::Unknown`].
    async fn charge(&self, charge: Charge) -> Outcome;

    /// Closes the intent for ever: [`Outcome::Voided`], or [`Outcome::Approved`] if it had
    /// captured before. Anything but a definite answer is [`Outcome::Unknown`].
    async fn void(&self, intent: BookingId) -> Outcome;

    /// Gives the money back, once per key.
    async fn refund(&self, refund: Refund) -> Result<(), ProviderUnavailable>;
}
