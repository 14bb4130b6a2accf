//! Payments: paying a booking, and its payment as it is or as a live stream.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use karcis_database::{KeyUse, RequestKey, StoreError};
use karcis_http::{
    Caller, FieldError, IdempotencyKey, IfNoneMatch, Json, Problem, Query, REPLAYED, WantsStream,
    stream,
};
use karcis_kernel::{BookingId, Timestamp, UserId};
use karcis_process::{chain, crash_point, now, trace};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    ApiState, PAYMENTS,
    problems::{closed, declined},
    responses::{PaymentResponse, statuses},
};
use crate::{
    application::{StartAttempt, StartAttemptError, Started, charge_attempt, start_attempt},
    domain::{self, AttemptId, AttemptOutcome, Decline, Payment, PaymentRecord, Status},
};

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessPaymentRequest {
    booking_id: BookingId,
    /// One of `GET /payment/methods`.
    #[schema(pattern = r"^[^\x00]*$", examples("tok_approved"))]
    method: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatusQuery {
    /// The booking whose payment it is.
    booking_id: BookingId,
}

/// What the problem of a declined payment says besides the usual.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a problem in the document")]
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

/// How far a request has come.
struct Progress {
    payment: Payment,
    /// The attempt it started; `None` if the booking was paid before.
    attempt: Option<AttemptId>,
    /// Whether the attempt had no outcome when the request was first answered.
    processing: bool,
    replayed: bool,
}

/// Pays a booking. Paid before, nothing is charged.
///
/// Waits up to 2 s for the provider. While the booking cannot be paid yet it is not found, with
/// `Retry-After`; free and rejected ones never can: look at the booking's `can`.
#[utoipa::path(post, path = "/payment/process", tag = PAYMENTS, operation_id = "pay",
    params(IdempotencyKey), request_body = ProcessPaymentRequest, security(("bearer" = [])),
    responses(
        (status = 200, description = "It is paid.", body = PaymentResponse),
        (status = 202, description = "The provider has not answered yet, or waits for the buyer.",
            body = PaymentResponse),
        (status = 402, description = "payment-declined", body = inline(Declined)),
        (status = 404, description = "not-found", headers(("Retry-After" = u32,
            description = "After how many seconds to try again."))),
        (status = 409, description = "payment-closed attempt-unresolved",
            headers(("Retry-After" = u32, description = "With `attempt-unresolved`."))),
    ))]
pub(super) async fn pay(
    State(api): State<ApiState>,
    caller: Caller,
    // Its error comes after the errors of the body.
    key: Result<IdempotencyKey, Problem>,
    Json(request): Json<ProcessPaymentRequest>,
) -> Result<Response, Problem> {
    let IdempotencyKey(key) = key?;
    if !api.gateway.accepts(&request.method) {
        let message = "give a method that GET /payment/methods lists".to_owned();
        return Err(Problem::invalid(vec![FieldError { field: "method".to_owned(), message }]));
    }
    let key = key.map(|key| {
        let fingerprint = IdempotencyKey::fingerprint("/payment/process", &request);
        (RequestKey { user_id: caller.user_id, key }, fingerprint)
    });
    trace::about(request.booking_id.0);
    let start = StartAttempt {
        attempt: AttemptId(Uuid::now_v7()),
        booking_id: request.booking_id,
        user_id: caller.user_id,
        method: request.method,
        key,
        at: now(),
    };
    // A task of its own, as axum drops this one when the client hangs up.
    let paying =
        api.charges.spawn(trace::scope(trace::current(), start_and_charge(api.clone(), start)));
    let progress = paying.await.map_err(Problem::internal)?;
    respond(progress?)
}

/// A booking's payment, as it is or live.
///
/// With `Accept: text/event-stream` the whole payment comes as an event each time it changes, its id
/// the version (some are skipped), until it failed, is cancelled or refunded, or the token expires.
/// `Last-Event-ID` leaves out what is known; if nothing more will come, the answer is 204.
#[utoipa::path(get, path = "/payment/status", tag = PAYMENTS, operation_id = "payment",
    params(StatusQuery, WantsStream, IfNoneMatch), security(("bearer" = [])),
    responses(
        (status = 200, description = "The payment.", content(
            (PaymentResponse = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = 204, description = "As a stream: its last state is known."),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    Query(query): Query<StatusQuery>,
    WantsStream(seen): WantsStream,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let booking = query.booking_id;
    trace::about(booking.0);
    let Some(seen) = seen else {
        let payment = own_payment(&api, caller.user_id, booking).await?;
        let payment = payment.ok_or_else(Problem::not_found)?;
        ask_soon(&api, &payment);
        return Ok(known.answer(payment.version, PaymentResponse::from(&payment)));
    };
    let watch = api.live.open(booking.0, caller.user_id)?;
    let payment = own_payment(&api, caller.user_id, booking).await?;
    ask_soon(&api, &payment.ok_or_else(Problem::not_found)?);
    let load = move || {
        let api = api.clone();
        async move {
            let payment = match own_payment(&api, caller.user_id, booking).await {
                // One that has become unreadable ends the stream.
                Err(StoreError::RejectedByStore(_)) => None,
                payment => payment.map_err(|error| chain(&error).to_string())?,
            };
            Ok(payment.map(|it| (it.version, PaymentResponse::from(&it), is_last(&it.state))))
        }
    };
    Ok(stream(watch, seen, caller.expires_at, load).await)
}

/// Has the provider asked about an attempt without an outcome, as its buyer is looking. Nobody waits.
fn ask_soon(api: &ApiState, payment: &Payment) {
    if !matches!(payment.state, domain::State::Processing { .. }) {
        return;
    }
    let (payments, booking) = (api.payments.clone(), payment.booking_id);
    api.charges.spawn(trace::scope(trace::current(), async move {
        if let Err(error) = payments.ask_soon(booking, false).await {
            tracing::debug!(error = %chain(&error), "the provider is asked later");
        }
    }));
}

async fn start_and_charge(
    api: ApiState,
    start: StartAttempt,
) -> Result<Progress, StartAttemptError> {
    let (attempt, key) = (start.attempt, start.key.clone());
    match trace::span("start_attempt", start_attempt(&*api.payments, start)).await? {
        Started::Paid(payment) => {
            Ok(Progress { payment, attempt: None, processing: false, replayed: false })
        }
        Started::Repeated(payment, used) => repeat(&api, payment, used).await,
        Started::Charge(payment) => {
            let payment = charge(&api, payment, attempt).await;
            let processing = has_no_outcome(&payment, attempt);
            if let Some((key, _)) = key.filter(|_| processing) {
                crash_point("payments.processing");
                api.payments.mark_answered_processing(&key).await?;
            }
            Ok(Progress { payment, attempt: Some(attempt), processing, replayed: false })
        }
    }
}

/// The payment once the provider has answered, or as it is once the buyer has waited long enough.
async fn charge(api: &ApiState, payment: Payment, attempt: AttemptId) -> Payment {
    let (payments, gateway) = (api.payments.clone(), api.gateway.clone());
    let (started, booking) = (payment.clone(), payment.booking_id);
    let charging = api.charges.spawn(trace::scope(trace::current(), async move {
        let charging = charge_attempt(&*payments, &*gateway, payment, attempt);
        let charged = trace::span("charge_attempt", charging).await;
        if let Err(error) = &charged {
            tracing::warn!(
                error = %chain(error), booking_id = %booking,
                "an outcome could not be stored: the provider will be asked again"
            );
        }
        charged
    }));
    match timeout(api.provider_wait, charging).await {
        Ok(Ok(Ok(charged))) => charged,
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => started,
    }
}

/// The request again: waits while the first one is running.
async fn repeat(
    api: &ApiState,
    payment: Payment,
    used: KeyUse,
) -> Result<Progress, StartAttemptError> {
    let attempt = used.subject.map(AttemptId);
    let mut progress = Progress { payment, attempt, processing: false, replayed: true };
    let Some(attempt) = attempt else { return Ok(progress) };
    if api.payments.answered_processing(&used.key).await? {
        progress.processing = true;
        return Ok(progress);
    }
    let booking = progress.payment.booking_id;
    let deadline = Instant::now() + api.provider_wait;
    let mut changes = api.live.watch(booking.0);
    let mut waited = false;
    while is_waiting(&progress.payment, attempt) {
        waited = true;
        // Not `changed`: it may have risen before it was watched, and not rise again.
        let known = progress.payment.version;
        let change = changes.wait_for(|version| *version > known);
        let changed = timeout_at(deadline, change).await.is_ok_and(|change| change.is_ok());
        if let Some(payment) = own_payment(api, used.key.user_id, booking).await? {
            progress.payment = payment;
        }
        if !changed {
            break;
        }
    }
    progress.processing = has_no_outcome(&progress.payment, attempt)
        || waited && api.payments.answered_processing(&used.key).await?;
    Ok(progress)
}

fn has_no_outcome(payment: &Payment, attempt: AttemptId) -> bool {
    payment.attempt(attempt).is_none_or(|attempt| attempt.outcome.is_none())
}

/// Whether the provider's answer may come any moment; a buyer may take hours to act.
fn is_waiting(payment: &Payment, attempt: AttemptId) -> bool {
    has_no_outcome(payment, attempt) && payment.next_action().is_none()
}

fn respond(progress: Progress) -> Result<Response, Problem> {
    let Progress { payment, attempt, processing, replayed } = progress;
    let mut response = if processing {
        (StatusCode::ACCEPTED, Json(PaymentResponse::from(&payment))).into_response()
    } else {
        let attempt = attempt.and_then(|id| payment.attempt(id));
        match attempt.and_then(|attempt| attempt.outcome.as_ref()) {
            None | Some(AttemptOutcome::Approved) => {
                Json(PaymentResponse::from(&payment)).into_response()
            }
            // The money of an earlier attempt has paid.
            Some(AttemptOutcome::Declined(decline))
                if *decline == Decline::already_captured()
                    && payment.state.status() == Status::Succeeded =>
            {
                Json(PaymentResponse::from(&payment)).into_response()
            }
            Some(AttemptOutcome::Declined(decline)) => declined(&payment, decline).into_response(),
            Some(
                AttemptOutcome::Voided
                | AttemptOutcome::Reversing { .. }
                | AttemptOutcome::Reversed,
            ) => {
                return Err(closed());
            }
        }
    };
    if replayed {
        response.headers_mut().insert(REPLAYED, axum::http::HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The booking's payment, if it is this user's.
async fn own_payment(
    api: &ApiState,
    user: UserId,
    booking: BookingId,
) -> Result<Option<Payment>, StoreError> {
    let record = api.payments.load(&[booking]).await?.one()?;
    let payment = record.and_then(PaymentRecord::into_payment);
    Ok(payment.filter(|payment| payment.terms.user_id() == user))
}

fn is_last(state: &domain::State) -> bool {
    use domain::State::{Cancelled, Failed, Refunded};
    matches!(state, Failed { .. } | Cancelled | Refunded)
}
