//! The HTTP routes.

mod methods;
mod ops;
mod payments;
mod problems;
mod responses;
mod webhooks;

use std::{sync::Arc, time::Duration};

use karcis_http::Live;
use tokio_util::task::TaskTracker;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::application::{Outcomes, PaymentGateway, Payments, UnsettledPayments};

const PAYMENTS: &str = "Payments";

#[derive(OpenApi)]
#[openapi(
    tags((name = PAYMENTS, description = "Paying for a booking")),
    // The document of a payment refers to it by name.
    components(schemas(responses::NextActionResponse)),
)]
struct Document;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub payments: Arc<dyn Payments>,
    /// What operators do is not shared with other requests' commits, for the sake of its trace.
    pub unsettled: Arc<dyn UnsettledPayments>,
    pub outcomes: Arc<dyn Outcomes>,
    pub gateway: Arc<dyn PaymentGateway>,
    pub live: Live,
    /// The charges under way: they go on when their client hangs up.
    pub charges: TaskTracker,
    /// How long a buyer waits for the provider before the answer is "processing".
    pub provider_wait: Duration,
}

/// All routes, to be given their state.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(methods::list))
        .routes(routes!(payments::pay))
        .routes(routes!(payments::show, webhooks::receive))
        .merge(ops::routes())
}
