//! A buyer's payment, as it is or as a live stream.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use karcis_database::StoreError;
use karcis_http::{Caller, Json, Problem, Query, WantsStream, stream};
use karcis_kernel::{BookingId, UserId};
use karcis_process::trace;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ApiState, PAYMENTS, responses::PaymentResponse};
use crate::domain::{self, Payment, PaymentRecord};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatusQuery {
    /// The booking whose payment it is.
    booking_id: BookingId,
}

/// A booking's payment, as it is or live.
///
/// With `Accept: text/event-stream` the whole payment comes as an event each time it changes, its id
/// the version (some are skipped), until it failed, is cancelled or refunded, or the token expires.
#[utoipa::path(get, path = "/payment/status", tag = PAYMENTS, operation_id = "payment",
    params(StatusQuery, WantsStream), security(("bearer" = [])),
    responses(
        (status = 200, description = "The payment.", content(
            (PaymentResponse = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn status(
    State(api): State<ApiState>,
    caller: Caller,
    Query(query): Query<StatusQuery>,
    WantsStream(seen): WantsStream,
) -> Result<Response, Problem> {
    let booking = query.booking_id;
    trace::about(booking.0);
    let Some(seen) = seen else {
        let payment = own_payment(&api, caller.user_id, booking).await?;
        let payment = payment.ok_or_else(Problem::not_found)?;
        return Ok(Json(PaymentResponse::from(&payment)).into_response());
    };
    let changes = api.live.watch(booking.0);
    own_payment(&api, caller.user_id, booking).await?.ok_or_else(Problem::not_found)?;
    Ok(stream(changes, seen, caller.expires_at, move || {
        let api = api.clone();
        async move {
            let payment = own_payment(&api, caller.user_id, booking).await;
            let payment = payment.map_err(|error| error.to_string())?;
            Ok(payment.map(|it| (it.version, PaymentResponse::from(&it), is_last(&it.state))))
        }
    }))
}

/// The booking's payment, if it is this user's.
pub(super) async fn own_payment(
    api: &ApiState,
    user: UserId,
    booking: BookingId,
) -> Result<Option<Payment>, StoreError> {
    let records = api.payments.load(&[booking]).await?;
    let mut payments = records.into_iter().filter_map(PaymentRecord::into_payment);
    Ok(payments.find(|payment| payment.terms.user_id() == user))
}

fn is_last(state: &domain::State) -> bool {
    use domain::State::{Cancelled, Failed, Refunded};
    matches!(state, Failed { .. } | Cancelled | Refunded)
}
