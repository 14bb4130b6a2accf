//! What every service serves for operators: `/ops/<service>/audit`.

use axum::extract::State;
use karcis_database::{AuditRow, Pool, audit};
use karcis_http::{Json, List, Operator, Page, Problem, Query, Time};
use karcis_kernel::Timestamp;
use karcis_schemas::Service;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

const OPERATORS: &str = "Operators";

#[derive(OpenApi)]
#[openapi(tags((name = OPERATORS, description = "What operators and admins see and do")))]
struct Document;

/// The routes for operators of this service; their state is its database.
pub(crate) fn routes(service: &Service) -> OpenApiRouter<Pool> {
    let own = OpenApiRouter::new().routes(routes!(show_audit));
    let path = format!("/ops/{}", service.name);
    OpenApiRouter::with_openapi(Document::openapi()).nest(&path, own)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// A privileged act.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct AuditEntryResponse {
    audit_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who did it; null if the deployment's own settings did, or its operator with `karcis`.
    actor_id: Option<Uuid>,
    #[schema(examples("give_role"))]
    action: String,
    /// The account, event, booking or dead letter that it was done to; all zeros if `detail` names it.
    subject_id: Uuid,
    #[schema(examples("buyer to organiser"))]
    detail: Option<String>,
    #[schema(examples("sells tickets for the city hall"))]
    reason: Option<String>,
    #[schema(examples("4bf92f3577b34da6a3ce929d0e0e4736"))]
    trace_id: Option<String>,
}

impl From<AuditRow> for AuditEntryResponse {
    fn from(row: AuditRow) -> Self {
        let AuditRow { audit_id, at, actor_id, action, subject_id, detail, reason, trace_id } = row;
        Self { audit_id, at, actor_id, action, subject_id, detail, reason, trace_id }
    }
}

/// Who did what to whom or what by the power of a role, when and why; the newest first.
#[utoipa::path(get, path = "/audit", tag = OPERATORS, operation_id = "audit",
    params(AuditQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "A page of privileged acts.",
        body = List<AuditEntryResponse>)))]
async fn show_audit(
    State(pool): State<Pool>,
    _operator: Operator,
    Query(query): Query<AuditQuery>,
) -> Result<Json<List<AuditEntryResponse>>, Problem> {
    let page: Page<(Time, Uuid)> = Page::new(query.limit, query.cursor.as_deref())?;
    let after = page.after.map(|(Time(at), id)| (at, id));
    let acts = audit(&pool, after, page.limit + 1).await?;
    let acts = List::of(acts, page.limit, |act| (act.at, act.audit_id));
    Ok(Json(acts.map(Into::into)))
}
