//! Stores attempts before the provider is asked, each with its idempotency key.

use karcis_kernel::{BookingId, Timestamp};

use super::{
    ports::{KeyUse, Payments, ProcessPaymentError, RequestKey, StartAttempt, Started, StoreError},
    unit_of_work::{Decision, UnitOfWork, decide},
};
use crate::domain::{AttemptId, PaymentRecord, StartRefused, start};

/// What becomes of each request, in their order. Asking again with the same attempt id is safe: an
/// attempt that is stored already is found, not started twice.
pub async fn start_attempts(
    payments: &dyn Payments,
    requests: &[StartAttempt],
) -> Result<Vec<Result<Started, ProcessPaymentError>>, StoreError> {
    decide(payments, requests).await
}

impl Decision for StartAttempt {
    type Output = Result<Started, ProcessPaymentError>;
    type Error = StoreError;

    fn booking_id(&self) -> BookingId {
        self.booking_id
    }

    fn key(&self) -> Option<(&RequestKey, Timestamp)> {
        self.key.as_ref().map(|(key, _)| (key, self.at))
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Self::Output, StoreError> {
        Ok(start_attempt(unit, self))
    }
}

fn start_attempt(
    unit: &mut UnitOfWork,
    request: &StartAttempt,
) -> Result<Started, ProcessPaymentError> {
    let own = unit
        .payment(request.booking_id)
        .filter(|payment| payment.terms.user_id() == request.user_id)
        .cloned();
    if let Some((key, fingerprint)) = &request.key
        && let Some(used) = unit.key_use(key)
        && used.attempt != Some(request.attempt)
    {
        if used.fingerprint != *fingerprint {
            return Err(ProcessPaymentError::KeyReused);
        }
        let payment = own.ok_or(ProcessPaymentError::NotPayable)?;
        return Ok(Started::Repeated(payment, used.clone()));
    }
    let payment = own.ok_or(ProcessPaymentError::NotPayable)?;
    if payment.attempt(request.attempt).is_some() {
        return Ok(Started::Charge(payment));
    }
    match start(&payment, request.attempt, request.at, &request.method) {
        Ok(started) => {
            match key_use(request, Some(request.attempt)) {
                Some(used) => unit.use_key(started.clone(), used),
                None => unit.change(PaymentRecord::Payment(started.clone()), None),
            }
            Ok(Started::Charge(started))
        }
        Err(StartRefused::Paid) => {
            if let Some(used) = key_use(request, None) {
                unit.use_key(payment.clone(), used);
            }
            Ok(Started::Paid(payment))
        }
        Err(StartRefused::Unresolved) => Err(ProcessPaymentError::Unresolved),
        Err(StartRefused::Closed) => Err(ProcessPaymentError::Closed),
    }
}

fn key_use(request: &StartAttempt, attempt: Option<AttemptId>) -> Option<KeyUse> {
    request.key.as_ref().map(|(key, fingerprint)| KeyUse {
        key: key.clone(),
        fingerprint: fingerprint.clone(),
        attempt,
        answered_processing: false,
        at: request.at,
    })
}
