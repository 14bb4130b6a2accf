//! Pays a booking, and waits a moment for the provider.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use karcis_http::{Caller, FieldError, IdempotencyKey, Json, Problem, REPLAYED};
use karcis_kernel::{BookingId, Timestamp};
use karcis_process::{now, trace};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Api, PAYMENTS,
    payment_json::{PaymentJson, status_word, statuses},
    status::own_payment,
};
use crate::{
    application::{
        charge_attempt,
        ports::{KeyUse, ProcessPaymentError, RequestKey, StartAttempt, Started, StoreError},
    },
    domain::{AttemptId, AttemptOutcome, Decline, DeclineKind, Payment, State as PaymentState},
};

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Pay)]
pub(super) struct Body {
    booking_id: BookingId,
    /// One of `GET /payment/methods`.
    #[schema(pattern = r"^[^\x00]*$", examples("tok_approved"))]
    method: String,
}

/// What the problem of a declined payment says beside the usual.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it only describes")]
struct Declined {
    /// The provider's word for why.
    decline_code: String,
    /// Whether the same method may be tried again.
    retryable: bool,
    /// How often any method may.
    attempts_left: usize,
    #[schema(value_type = String, format = DateTime)]
    pay_by: Timestamp,
    #[schema(schema_with = statuses)]
    payment_status: String,
}

/// Where a request has come to.
struct Progress {
    payment: Payment,
    /// The attempt it started; `None` if the booking was paid before.
    attempt: Option<AttemptId>,
    /// Whether the attempt was still running when the request was first answered.
    processing: bool,
    replayed: bool,
}

/// Pays a booking. Paid before, nothing is charged.
///
/// Waits up to 2 s for the provider. While the booking cannot be paid yet it is not found, with
/// `Retry-After`; free and rejected ones never can: look at the booking's `can`.
#[utoipa::path(post, path = "/payment/process", tag = PAYMENTS, operation_id = "pay",
    params(IdempotencyKey), request_body = Body, security(("bearer" = [])),
    responses(
        (status = 200, description = "It is paid.", body = PaymentJson),
        (status = 202, description = "The provider has not answered yet.", body = PaymentJson),
        (status = 402, description = "payment-declined", body = inline(Declined)),
        (status = 404, description = "not-found", headers(("Retry-After" = u32,
            description = "After how many seconds to try again."))),
        (status = 409, description = "payment-closed attempt-unresolved",
            headers(("Retry-After" = u32, description = "With `attempt-unresolved`."))),
    ))]
pub(super) async fn process(
    State(api): State<Api>,
    caller: Caller,
    // Its error comes after those of the body.
    key: Result<IdempotencyKey, Problem>,
    Json(body): Json<Body>,
) -> Result<Response, Problem> {
    let IdempotencyKey(key) = key?;
    if !api.gateway.methods().iter().any(|method| method.token == body.method) {
        let message = "give one of those that GET /payment/methods lists".to_owned();
        return Err(Problem::invalid(vec![FieldError { field: "method".to_owned(), message }]));
    }
    let key = key.map(|key| {
        let fingerprint = IdempotencyKey::fingerprint("/payment/process", &body);
        (RequestKey { user_id: caller.user_id, key }, fingerprint)
    });
    trace::about(body.booking_id.0);
    let start = StartAttempt {
        attempt: AttemptId(Uuid::now_v7()),
        booking_id: body.booking_id,
        user_id: caller.user_id,
        method: body.method,
        key,
        at: now(),
    };
    // A task of its own, as axum drops this one when the client hangs up.
    let paying = api.charges.spawn(trace::scope(trace::current(), pay(api.clone(), start)));
    let progress = paying.await.map_err(Problem::internal)?;
    answer(progress?)
}

async fn pay(api: Api, start: StartAttempt) -> Result<Progress, ProcessPaymentError> {
    let (attempt, key) = (start.attempt, start.key.clone());
    match trace::span("start_attempt", api.attempts.start(start)).await? {
        Started::Paid(payment) => {
            Ok(Progress { payment, attempt: None, processing: false, replayed: false })
        }
        Started::Repeated(payment, used) => repeat(&api, payment, used).await,
        Started::Charge(payment) => {
            let payment = charge(&api, payment, attempt).await;
            let processing = is_running(&payment, attempt);
            if let Some((key, _)) = key.filter(|_| processing) {
                api.payments.answered_processing(&key).await?;
            }
            Ok(Progress { payment, attempt: Some(attempt), processing, replayed: false })
        }
    }
}

/// The payment once the provider has answered, or as it is once the buyer has waited enough.
async fn charge(api: &Api, payment: Payment, attempt: AttemptId) -> Payment {
    let (attempts, gateway) = (api.attempts.clone(), api.gateway.clone());
    let (started, booking) = (payment.clone(), payment.booking_id);
    let charging = api.charges.spawn(trace::scope(trace::current(), async move {
        let charging = charge_attempt(&*attempts, &*gateway, payment, attempt);
        let charged = trace::span("charge_attempt", charging).await;
        if let Err(cause) = &charged {
            tracing::warn!(%cause, booking_id = %booking, "an outcome is not stored; it will be asked for again");
        }
        charged
    }));
    match timeout(api.provider_wait, charging).await {
        Ok(Ok(Ok(charged))) => charged,
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => started,
    }
}

/// The request again: waits while the first of its kind is running.
async fn repeat(
    api: &Api,
    payment: Payment,
    used: KeyUse,
) -> Result<Progress, ProcessPaymentError> {
    let mut progress = Progress {
        payment,
        attempt: used.attempt,
        processing: used.answered_processing,
        replayed: true,
    };
    let Some(attempt) = used.attempt.filter(|_| !used.answered_processing) else {
        return Ok(progress);
    };
    let booking = progress.payment.booking_id;
    let deadline = Instant::now() + api.provider_wait;
    let mut changes = api.live.watch(booking.0);
    let mut waited = false;
    while is_running(&progress.payment, attempt) {
        waited = true;
        // Not `changed`: it may have risen before it was watched, and not rise again.
        let known = progress.payment.version;
        let moved = changes.wait_for(|version| *version > known);
        let moved = timeout_at(deadline, moved).await.is_ok_and(|moved| moved.is_ok());
        if let Some(payment) = own_payment(api, used.key.user_id, booking).await? {
            progress.payment = payment;
        }
        if !moved {
            break;
        }
    }
    progress.processing = is_running(&progress.payment, attempt)
        || waited && first_said_processing(api, &used).await?;
    Ok(progress)
}

async fn first_said_processing(api: &Api, used: &KeyUse) -> Result<bool, StoreError> {
    let uses =
        api.payments.keys(std::slice::from_ref(&used.key), used.at - api.provider_wait).await?;
    Ok(uses.iter().any(|used| used.answered_processing))
}

fn is_running(payment: &Payment, attempt: AttemptId) -> bool {
    payment.attempt(attempt).is_none_or(|attempt| attempt.outcome.is_none())
}

fn answer(progress: Progress) -> Result<Response, Problem> {
    let Progress { payment, attempt, processing, replayed } = progress;
    let mut response = if processing {
        (StatusCode::ACCEPTED, Json(PaymentJson::from(&payment))).into_response()
    } else {
        let attempt = attempt.and_then(|id| payment.attempt(id));
        match attempt.and_then(|attempt| attempt.outcome.as_ref()) {
            None | Some(AttemptOutcome::Approved) => {
                Json(PaymentJson::from(&payment)).into_response()
            }
            Some(AttemptOutcome::Declined(decline)) => declined(&payment, decline).into_response(),
            Some(AttemptOutcome::Voided | AttemptOutcome::Returning | AttemptOutcome::Returned) => {
                return Err(closed());
            }
        }
    };
    if replayed {
        response.headers_mut().insert(REPLAYED, axum::http::HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn declined(payment: &Payment, decline: &Decline) -> Problem {
    let attempts_left = payment.attempts_left();
    let open = payment.state == PaymentState::Open;
    let detail = match (decline.kind, open) {
        (DeclineKind::Soft, true) => "try again, or pay with another method",
        (DeclineKind::Hard, true) => "pay with another method",
        (_, false) => "the payment takes no other attempt",
    };
    Problem::new(StatusCode::PAYMENT_REQUIRED, "payment-declined", "The payment was declined")
        .detail(detail)
        .with("decline_code", &decline.code)
        .with("retryable", open && decline.kind == DeclineKind::Soft)
        .with("attempts_left", attempts_left)
        .with("pay_by", payment.terms.pay_by())
        .with("payment_status", status_word(&payment.state))
}

fn closed() -> Problem {
    Problem::conflict("payment-closed", "The payment is closed")
        .detail("it failed, was cancelled or was refunded; GET /payment/status says which")
}

impl From<ProcessPaymentError> for Problem {
    fn from(error: ProcessPaymentError) -> Self {
        match error {
            ProcessPaymentError::KeyReused => IdempotencyKey::reused(),
            ProcessPaymentError::NotPayable => Self::not_found()
                .detail(
                    "there is nothing of yours to pay here, or not yet; \
                     a booking can be paid while its `can` says so",
                )
                .retry_after(1),
            ProcessPaymentError::Unresolved => {
                Self::conflict("attempt-unresolved", "Another attempt is running")
                    .detail("wait for its outcome: GET /payment/status shows it")
                    .retry_after(1)
            }
            ProcessPaymentError::Closed => closed(),
            ProcessPaymentError::Store(error) => error.into(),
        }
    }
}
