//! Errors of the use cases, as problems.

use axum::http::StatusCode;
use karcis_http::{IdempotencyKey, Problem};

use crate::{
    application::{AskError, SettleError, StartAttemptError, WrongSignature},
    domain::{Decline, DeclineKind, Payment, State},
};

/// The provider has declined the attempt.
pub(super) fn declined(payment: &Payment, decline: &Decline) -> Problem {
    let is_open = payment.state == State::Open;
    let detail = match (decline.kind, is_open) {
        (DeclineKind::Soft, true) => "try again, or pay with another method",
        (DeclineKind::Hard, true) => "pay with another method",
        (_, false) => "the payment takes no other attempt",
    };
    Problem::new(StatusCode::PAYMENT_REQUIRED, "payment-declined", "The payment was declined")
        .detail(detail)
        .with("decline_code", &decline.code)
        .with("retryable", is_open && decline.kind == DeclineKind::Soft)
        .with("attempts_left", payment.attempts_left())
        .with("pay_by", payment.terms.pay_by())
        .with("payment_status", payment.status().as_str())
}

/// The payment takes no money any more.
pub(super) fn closed() -> Problem {
    Problem::conflict("payment-closed", "The payment is closed")
        .detail("it failed, was cancelled or was refunded; GET /payment/status says which")
}

impl From<WrongSignature> for Problem {
    fn from(error: WrongSignature) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "wrong-signature", "The signature is wrong")
            .detail(error.to_string())
    }
}

impl From<StartAttemptError> for Problem {
    fn from(error: StartAttemptError) -> Self {
        match error {
            StartAttemptError::KeyReused => IdempotencyKey::reused(),
            StartAttemptError::NotPayable => Self::not_found()
                .detail(
                    "there is nothing of yours to pay here, or not yet; \
                     a booking can be paid while its `can` says so",
                )
                .retry_after(1),
            StartAttemptError::Unresolved => {
                Self::conflict("attempt-unresolved", "Another attempt is running")
                    .detail("wait for its outcome: GET /payment/status shows it")
                    .retry_after(1)
            }
            StartAttemptError::Closed => closed(),
            StartAttemptError::Store(error) => error.into(),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NotFound => Self::not_found(),
            AskError::NothingTried => {
                Self::conflict("nothing-to-ask", "There is nothing to ask the provider")
                    .detail("nobody has tried to pay: the provider was never asked for money")
            }
            AskError::Store(error) => error.into(),
        }
    }
}

impl From<SettleError> for Problem {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::NotFound => Self::not_found(),
            SettleError::NothingOpen => {
                Self::conflict("nothing-to-settle", "There is nothing to settle").detail(
                    "the payment has no attempt without an outcome, or no refund that was refused: \
                     GET /ops/payment/{booking_id} shows it",
                )
            }
            SettleError::ProviderIsAsked => Self::conflict(
                "provider-is-asked",
                "The provider is being asked",
            )
            .detail("it may give the money back at this moment: say it again once it has answered")
            .retry_after(1),
            SettleError::Store(error) => error.into(),
        }
    }
}
