//! Stores an attempt before the provider is asked, with its idempotency key.

use karcis_database::{KeyUse, RequestKey};
use karcis_kernel::{BookingId, Timestamp};
use uuid::Uuid;

use super::{
    ports::{Payments, ProcessPaymentError, StartAttempt, Started},
    unit_of_work::{Decision, UnitOfWork, decide_one},
};
use crate::domain::{PaymentRecord, StartRefused, start};

/// What becomes of the request. An attempt that is stored already is found, not started twice: a
/// commit whose connection was lost may have landed.
pub async fn start_attempt(
    payments: &dyn Payments,
    request: StartAttempt,
) -> Result<Started, ProcessPaymentError> {
    decide_one(payments, request).await
}

impl Decision for StartAttempt {
    type Output = Started;
    type Error = ProcessPaymentError;

    fn booking_id(&self) -> BookingId {
        self.booking_id
    }

    fn key(&self) -> Option<(&RequestKey, Timestamp)> {
        self.key.as_ref().map(|(key, _)| (key, self.at))
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Started, ProcessPaymentError> {
        let own = unit
            .payment(self.booking_id)
            .filter(|payment| payment.terms.user_id() == self.user_id)
            .cloned()
            .ok_or(ProcessPaymentError::NotPayable);
        if let Some((key, fingerprint)) = &self.key
            && let Some(used) = unit.key_use(key)
            && used.subject != Some(self.attempt.0)
        {
            if used.fingerprint != *fingerprint {
                return Err(ProcessPaymentError::KeyReused);
            }
            return Ok(Started::Repeated(own?, used.clone()));
        }
        let payment = own?;
        if payment.attempt(self.attempt).is_some() {
            return Ok(Started::Charge(payment));
        }
        match start(&payment, self.attempt, self.at, &self.method) {
            Ok(started) => {
                match key_use(self, Some(self.attempt.0)) {
                    Some(used) => unit.use_key(started.clone(), used),
                    None => unit.change(PaymentRecord::Payment(started.clone()), None),
                }
                Ok(Started::Charge(started))
            }
            Err(StartRefused::Paid) => {
                if let Some(used) = key_use(self, None) {
                    unit.use_key(payment.clone(), used);
                }
                Ok(Started::Paid(payment))
            }
            Err(StartRefused::Unresolved) => Err(ProcessPaymentError::Unresolved),
            Err(StartRefused::Closed) => Err(ProcessPaymentError::Closed),
        }
    }
}

fn key_use(request: &StartAttempt, subject: Option<Uuid>) -> Option<KeyUse> {
    let (key, fingerprint) = request.key.clone()?;
    Some(KeyUse { key, fingerprint, subject, used_at: request.at })
}
