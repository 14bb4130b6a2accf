//! The service's HTTP side.

mod payment_json;
mod process;
mod status;

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use karcis_http::{List, Live};
use serde::Serialize;
use tokio_util::task::TaskTracker;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::application::ports::{Attempts, PaymentGateway, Payments};

const PAYMENTS: &str = "Payments";

#[derive(OpenApi)]
#[openapi(tags((name = PAYMENTS, description = "Paying for a booking")))]
struct Tags;

/// What the routes need.
#[derive(Clone)]
pub struct Api {
    /// The stored payments.
    pub payments: Arc<dyn Payments>,
    /// Where attempts are written.
    pub attempts: Arc<dyn Attempts>,
    /// The provider.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Who watches what.
    pub live: Live,
    /// The charges under way: they go on when their client hangs up.
    pub charges: TaskTracker,
    /// How long a buyer waits for the provider before the answer is "processing".
    pub provider_wait: Duration,
}

/// The routes.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Tags::openapi())
        .routes(routes!(methods))
        .routes(routes!(process::process))
        .routes(routes!(status::status))
}

/// A way to pay.
#[derive(Serialize, ToSchema)]
#[schema(as = Method)]
struct MethodJson {
    #[schema(examples("tok_approved"))]
    method: &'static str,
    #[schema(examples("Card that is approved"))]
    label: &'static str,
    #[schema(examples("approves at once"))]
    description: &'static str,
}

/// The ways to pay, and what each does.
#[utoipa::path(get, path = "/payment/methods", tag = PAYMENTS, operation_id = "methods",
    responses((status = 200, description = "All of them.", body = List<MethodJson>)))]
async fn methods(State(api): State<Api>) -> Json<List<MethodJson>> {
    let methods = api.gateway.methods().iter();
    let items = methods
        .map(|it| MethodJson { method: it.token, label: it.label, description: it.about })
        .collect();
    Json(List { items, next_cursor: None })
}
