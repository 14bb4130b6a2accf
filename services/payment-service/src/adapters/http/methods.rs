//! The ways to pay.

use axum::extract::State;
use karcis_http::{Json, List};

use super::{ApiState, PAYMENTS, responses::MethodResponse};

/// The ways to pay, and what each does.
#[utoipa::path(get, path = "/payment/methods", tag = PAYMENTS, operation_id = "methods",
    responses((status = 200, description = "All of them.", body = List<MethodResponse>)))]
pub(super) async fn list(State(api): State<ApiState>) -> Json<List<MethodResponse>> {
    let items = api.gateway.methods().iter().map(MethodResponse::from).collect();
    Json(List { items, next_cursor: None })
}
