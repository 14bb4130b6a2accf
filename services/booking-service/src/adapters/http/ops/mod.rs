//! What operators see and do of sagas: list them, one's whole story, send again, cancel.

mod responses;

use axum::extract::State;
use karcis_database::{ByOperator, PrivilegedAct};
use karcis_http::{
    FieldErrors, Json, List, OPERATORS, Operator, Page, PathId, Problem, Query, ReasonRequest,
    Time, one_of,
};
use karcis_kernel::BookingId;
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::{IntoParams, openapi::Object};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::responses::{
    STAGES, SagaActResponse, SagaResponse, SagaStoryResponse, has_ended, last_errors,
};
use super::ApiState;
use crate::{
    application::{SagaFilter, cancel_by_operator, resume_saga},
    domain::{Booking, DecisionContext},
};

/// What operators see and do.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(resume))
        .routes(routes!(cancel))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SagasQuery {
    /// Those that need an operator, or those that do not.
    #[param(nullable = false)]
    stuck: Option<bool>,
    /// Those in this stage only.
    #[param(schema_with = stages, required = false)]
    stage: Option<String>,
    /// Those that did not change for so many seconds.
    #[param(minimum = 0, maximum = 1_000_000_000, nullable = false)]
    older_than_s: Option<u32>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

fn stages() -> Object {
    one_of(STAGES)
}

/// The bookings that wait for something, those first that did not change for the longest time.
#[utoipa::path(get, path = "/ops/booking/sagas", tag = OPERATORS, operation_id = "sagas",
    params(SagasQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "A page of sagas.", body = List<SagaResponse>)))]
async fn list(
    State(state): State<ApiState>,
    _operator: Operator,
    Query(query): Query<SagasQuery>,
) -> Result<Json<List<SagaResponse>>, Problem> {
    let page: Page<(Time, BookingId)> = Page::new(query.limit, query.cursor.as_deref())?;
    let mut fields = FieldErrors::new();
    let named = |name: String| STAGES.into_iter().find(|stage| *stage == name);
    let stage = query
        .stage
        .map(|name| named(name).ok_or_else(|| format!("give one of {}", STAGES.join(", "))));
    let stage = stage.and_then(|stage| fields.check("stage", stage));
    let age_s = query.older_than_s.filter(|age_s| *age_s <= 1_000_000_000);
    if age_s != query.older_than_s {
        fields.add("older_than_s", "give at most 1000000000 seconds");
    }
    fields.finish()?;
    let after = page.after.map(|(Time(at), id)| (at, id));
    let at = now();
    let unchanged_since = age_s.map(|age_s| at - std::time::Duration::from_secs(age_s.into()));
    let filter = SagaFilter { stuck: query.stuck, stage, unchanged_since };
    let found = state.sagas.sagas(filter, after, page.limit + 1).await?;
    let ids: Vec<BookingId> = found.iter().map(|booking| booking.order.id).collect();
    let mut errors = last_errors(&state.sagas.set_aside(&ids).await?);
    let list = List::of(found, page.limit, |booking| (booking.updated_at, booking.order.id));
    Ok(Json(list.map(|booking| {
        let error = errors.remove(&booking.order.id);
        SagaResponse::new(&booking, error, at)
    })))
}

/// A booking's whole story: what happened, what it sent, what of that did not arrive, what it waits for.
///
/// Its hold and its payment are shown as their services' answers have told. What these themselves say, GET
/// /ops/event/holds/{booking_id} and GET /ops/payment/{booking_id} show; `karcis ops why` joins all.
#[utoipa::path(get, path = "/ops/booking/sagas/{booking_id}", tag = OPERATORS, operation_id = "saga",
    params(("booking_id" = BookingId, Path, description = "Which booking.")),
    security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "The story.", body = SagaStoryResponse)))]
async fn show(
    State(state): State<ApiState>,
    PathId(id): PathId,
    _operator: Operator,
) -> Result<Json<SagaStoryResponse>, Problem> {
    trace::about(id);
    let id = BookingId(id);
    let found = state.bookings.load(&[id]).await?.one()?;
    let booking = found.ok_or_else(Problem::not_found)?;
    let timeline = state.queries.timeline(id).await?;
    let set_aside = state.sagas.set_aside(&[id]).await?;
    Ok(Json(SagaStoryResponse::new(&booking, timeline, set_aside, now())))
}

/// Sends what a booking waits for an answer to once more, now; twice is harmless.
///
/// It comes besides what is sent by itself, and does not count among `attempts`.
#[utoipa::path(post, path = "/ops/booking/sagas/{booking_id}/resume", tag = OPERATORS,
    operation_id = "resumeSaga", request_body = ReasonRequest,
    params(("booking_id" = BookingId, Path, description = "Which booking.")),
    security(("bearer" = ["operator", "admin"])),
    responses(
        (status = 200, description = "The saga as it is now.", body = SagaActResponse),
        (status = 409, description = "nothing-pending"),
    ))]
async fn resume(
    State(state): State<ApiState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<SagaActResponse>, Problem> {
    trace::about(id);
    let act = act("resume_saga", id, operator, request)?;
    let context = DecisionContext { at: now(), resends: state.resends };
    let resuming = resume_saga(&*state.bookings, context, BookingId(id), act);
    let (booking, is_changed) = trace::span("resume_saga", resuming).await?;
    if has_ended(&booking) {
        let title = "The booking waits for no answer";
        let detail = format!("it waits for {}", booking.waits_for());
        return Err(Problem::conflict("nothing-pending", title).detail(detail));
    }
    Ok(acted(&booking, is_changed))
}

/// Cancels a booking as its buyer would, whatever the refund window; again changes nothing.
#[utoipa::path(post, path = "/ops/booking/{booking_id}/cancel", tag = OPERATORS,
    operation_id = "cancelByOperator", request_body = ReasonRequest,
    params(("booking_id" = BookingId, Path, description = "Which booking.")),
    security(("bearer" = ["operator", "admin"])),
    responses(
        (status = 200, description = "The saga as it is now.", body = SagaActResponse),
        (status = 409, description = "booking-rejected"),
    ))]
async fn cancel(
    State(state): State<ApiState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<SagaActResponse>, Problem> {
    trace::about(id);
    let act = act("cancel_booking", id, operator, request)?;
    let context = DecisionContext { at: now(), resends: state.resends };
    let cancelling = cancel_by_operator(&*state.bookings, context, BookingId(id), act);
    let (booking, is_changed) = trace::span("cancel_by_operator", cancelling).await?;
    Ok(acted(&booking, is_changed))
}

/// What this operator does to a booking, and why.
fn act(
    action: &'static str,
    booking: Uuid,
    Operator(operator): Operator,
    request: ReasonRequest,
) -> Result<PrivilegedAct, Problem> {
    let by = ByOperator { actor: operator.user_id, reason: request.parse()? };
    Ok(by.act(action, booking))
}

fn acted(booking: &Booking, is_changed: bool) -> Json<SagaActResponse> {
    Json(SagaActResponse { saga: SagaResponse::new(booking, None, now()), is_changed })
}
