//! What the reconciler found: show it, close what nothing compares any more.

use axum::extract::State;
use karcis_database::{DifferenceRow, close_difference, differences};
use karcis_http::{
    Json, List, OPERATORS, Operator, Page, PathId, Problem, Query, ReasonRequest, Time,
};
use karcis_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ActResponse, OpsState, by, excerpt};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DifferencesQuery {
    /// Those too that are gone, as the two agree again.
    #[param(nullable = false)]
    with_gone: Option<bool>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// Two things that should agree and do not.
#[derive(Serialize, ToSchema)]
#[schema(as = Difference)]
pub(super) struct DifferenceResponse {
    difference_id: Uuid,
    /// What was compared: `stock`, `answer` (event-service's), `payment_answer` or `ledger`.
    #[schema(examples("stock"))]
    kind: String,
    /// A ticket type (`stock`) or a booking.
    subject_id: Uuid,
    #[schema(examples("2 held and 5 sold, but its holds have 2 and 4"))]
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// When the two agreed again.
    #[schema(value_type = Option<String>, format = DateTime)]
    gone_at: Option<Timestamp>,
}

impl From<DifferenceRow> for DifferenceResponse {
    fn from(row: DifferenceRow) -> Self {
        let DifferenceRow { difference_id, kind, subject_id, detail, .. } = row;
        let DifferenceRow { first_seen_at, last_seen_at, gone_at, .. } = row;
        Self { difference_id, kind, subject_id, detail, first_seen_at, last_seen_at, gone_at }
    }
}

/// What the reconciler found, the newest first. It mends nothing.
#[utoipa::path(get, path = "/differences", tag = OPERATORS, operation_id = "differences",
    params(DifferencesQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "A page of differences.",
        body = List<DifferenceResponse>)))]
pub(super) async fn list(
    State(state): State<OpsState>,
    _operator: Operator,
    Query(query): Query<DifferencesQuery>,
) -> Result<Json<List<DifferenceResponse>>, Problem> {
    let page: Page<(Time, Uuid)> = Page::new(query.limit, query.cursor.as_deref())?;
    let after = page.after.map(|(Time(at), id)| (at, id));
    let with_gone = query.with_gone.unwrap_or_default();
    let found = differences(&state.reads, with_gone, after, page.limit + 1).await?;
    let key = |row: &DifferenceRow| (row.first_seen_at, row.difference_id);
    Ok(Json(excerpt::page(found, page.limit, key, Into::into)))
}

/// Closes a difference whose cause an operator has found; twice is harmless.
///
/// Stock, ledger and most answers close by themselves, once the two agree. It is back if they differ again.
#[utoipa::path(post, path = "/differences/{difference_id}/close", tag = OPERATORS,
    operation_id = "closeDifference", request_body = ReasonRequest,
    security(("bearer" = ["operator", "admin"])),
    params(("difference_id" = Uuid, Path, description = "Which difference.")),
    responses((status = 200, description = "It is closed.", body = ActResponse)))]
pub(super) async fn close(
    State(state): State<OpsState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<ActResponse>, Problem> {
    let closed = close_difference(&state.writes, id, &by(operator, request)?).await?;
    let was_open = closed.ok_or_else(Problem::not_found)?;
    Ok(Json(ActResponse { id, is_repeated: !was_open }))
}
