//! The service's HTTP side.

mod payment_json;
mod process;
mod status;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use karcis_http::{List, Live};
use serde::Serialize;
use tokio_util::task::TaskTracker;

use crate::application::ports::{Attempts, PaymentGateway, Payments};

/// The endpoints as `GET /` lists them.
pub const ENDPOINTS: &[(&str, &str)] =
    &[("GET", "/payment/methods"), ("POST", "/payment/process"), ("GET", "/payment/status")];

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
}

/// The routes.
pub fn routes(api: Api) -> Router {
    Router::new()
        .route("/payment/methods", get(methods))
        .route("/payment/process", post(process::process))
        .route("/payment/status", get(status::status))
        .with_state(api)
}

/// A method as it is shown.
#[derive(Serialize)]
struct MethodJson {
    method: &'static str,
    label: &'static str,
    description: &'static str,
}

async fn methods(State(api): State<Api>) -> Json<List<MethodJson>> {
    let methods = api.gateway.methods().iter();
    let items = methods
        .map(|it| MethodJson { method: it.token, label: it.label, description: it.about })
        .collect();
    Json(List { items, next_cursor: None })
}
