//! Stores an attempt before the provider is asked, with its idempotency key.

use karcis_database::{KeyUse, RequestKey, StoreError};
use karcis_kernel::{BookingId, Timestamp, UserId};
use uuid::Uuid;

use super::{
    ports::Payments,
    unit_of_work::{PaymentJob, UnitOfWork, decide_one},
};
use crate::domain::{AttemptId, Payment, PaymentRecord, StartRefusal, start};

/// A request to start an attempt.
#[derive(Clone)]
pub struct StartAttempt {
    /// The id of the new attempt.
    pub attempt: AttemptId,
    pub booking_id: BookingId,
    /// Who wants to pay.
    pub user_id: UserId,
    /// The provider's token of the method.
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
    /// The money came before: charge nothing.
    Paid(Payment),
    /// The request was made before.
    Repeated(Payment, KeyUse),
}

/// Why an attempt is not started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartAttemptError {
    #[error("use a new key for a new request")]
    KeyReused,
    /// The buyer has no such payment, or not yet.
    #[error("wait until the booking can be paid")]
    NotPayable,
    /// Another attempt has no outcome yet.
    #[error("wait for the outcome of the attempt that is running")]
    Unresolved,
    /// It failed, was cancelled or was refunded.
    #[error("make another booking: this payment is closed")]
    Closed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What becomes of the request. An attempt that is stored already is found, not started twice: a
/// commit whose connection was lost may have landed.
pub async fn start_attempt(
    payments: &dyn Payments,
    request: StartAttempt,
) -> Result<Started, StartAttemptError> {
    decide_one(payments, request).await
}

impl PaymentJob for StartAttempt {
    type Output = Started;
    type Error = StartAttemptError;

    fn booking_id(&self) -> BookingId {
        self.booking_id
    }

    fn key(&self) -> Option<(&RequestKey, Timestamp)> {
        self.key.as_ref().map(|(key, _)| (key, self.at))
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Started, StartAttemptError> {
        let own = unit
            .payment(self.booking_id)
            .filter(|payment| payment.terms.user_id() == self.user_id)
            .cloned()
            .ok_or(StartAttemptError::NotPayable);
        if let Some((key, fingerprint)) = &self.key
            && let Some(used) = unit.key_use(key)
        {
            if used.fingerprint != *fingerprint {
                return Err(StartAttemptError::KeyReused);
            }
            // The first two are this very request, whose commit landed although its answer was lost.
            return Ok(match used.subject {
                Some(attempt) if attempt == self.attempt.0 => Started::Charge(own?),
                None if used.used_at == self.at => Started::Paid(own?),
                Some(_) | None => Started::Repeated(own?, used.clone()),
            });
        }
        let payment = own?;
        if payment.attempt(self.attempt).is_some() {
            return Ok(Started::Charge(payment));
        }
        match start(&payment, self.attempt, self.at, &self.method) {
            Ok(started) => {
                match self.key_use(Some(self.attempt.0)) {
                    Some(used) => unit.use_key(started.clone(), used),
                    None => unit.change(PaymentRecord::Payment(started.clone()), None),
                }
                Ok(Started::Charge(started))
            }
            Err(StartRefusal::Paid) => {
                if let Some(used) = self.key_use(None) {
                    unit.use_key(payment.clone(), used);
                }
                Ok(Started::Paid(payment))
            }
            Err(StartRefusal::Unresolved) => Err(StartAttemptError::Unresolved),
            Err(StartRefusal::Closed) => Err(StartAttemptError::Closed),
        }
    }
}

impl StartAttempt {
    fn key_use(&self, subject: Option<Uuid>) -> Option<KeyUse> {
        let (key, fingerprint) = self.key.clone()?;
        Some(KeyUse { key, fingerprint, subject, used_at: self.at })
    }
}
