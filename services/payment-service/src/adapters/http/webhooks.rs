//! The payment provider's webhooks: each has the provider asked about a payment, and nothing else.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use karcis_http::{Problem, RawBody};
use karcis_process::{Sampler, now, trace};

use super::{ApiState, PAYMENTS};
use crate::{
    adapters::metrics::{Webhook, count_webhook},
    application::WrongSignature,
};

/// A webhook of the payment provider.
///
/// It only has the provider asked about the payment, at most once a second, whatever else it says. So one
/// that is early, late, repeated or in another order does no harm.
#[utoipa::path(post, path = "/payment/status", tag = PAYMENTS, operation_id = "webhook",
    params(("Karcis-Signature" = Option<String>, Header, example = "t=2085577200,v1=5257a8",
        description = "`t=<unix time>,v1=<hex of HMAC-SHA-256 of \"t.body\">`, at most 300 s old; \
                       `v1` may be there several times. Stripe's is `Stripe-Signature`.")),
    request_body(
        content((String = "text/plain",
            example = json!("{\"intent\": \"01980a5c-2f7e-7000-8000-2f3a4b5c6d7e\"}"))),
        description = "What the provider sends, whatever its type; the example is the simulated one's."),
    responses(
        (status = 204, description = "The provider is asked, or it is about no payment of ours."),
        (status = 401, description = "wrong-signature"),
    ))]
pub(super) async fn receive(
    State(api): State<ApiState>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<StatusCode, Problem> {
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let booking = api.gateway.read_webhook(&header, &body, now()).map_err(refused)?;
    let is_known = match booking {
        Some(booking) => {
            trace::about(booking.0);
            api.payments.ask_soon(booking, true).await?
        }
        None => false,
    };
    count_webhook(if is_known { Webhook::Accepted } else { Webhook::Unknown });
    Ok(StatusCode::NO_CONTENT)
}

/// Counts it, and logs it at most once a second: strangers send what they like.
fn refused(error: WrongSignature) -> Problem {
    static LINES: Sampler = Sampler::new();
    count_webhook(Webhook::Refused);
    if let Some(suppressed) = LINES.pass() {
        tracing::warn!(%error, suppressed, "a webhook is refused");
    }
    error.into()
}
