//! What operators see of a booking's hold.

mod responses;

use axum::extract::State;
use karcis_http::{Json, OPERATORS, Operator, PathId, Problem};
use karcis_kernel::BookingId;
use karcis_process::trace;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::responses::HoldResponse;
use super::ApiState;

/// What operators see and do.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(hold))
}

/// What the event keeps for a booking, without the codes of its tickets.
#[utoipa::path(get, path = "/ops/event/holds/{booking_id}", tag = OPERATORS, operation_id = "hold",
    params(("booking_id" = BookingId, Path, description = "Whose hold.")),
    security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "The hold.", body = HoldResponse)))]
async fn hold(
    State(state): State<ApiState>,
    PathId(id): PathId,
    _operator: Operator,
) -> Result<Json<HoldResponse>, Problem> {
    trace::about(id);
    let hold = state.holds.find(BookingId(id)).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(hold.into()))
}
