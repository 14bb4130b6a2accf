//! Privileged acts: who did what to whom or what, when and why.

use axum::extract::State;
use karcis_database::{AuditRow, audit};
use karcis_http::{Json, List, OPERATORS, Operator, Page, Problem, Query, Time};
use karcis_kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{OpsState, PageQuery};

/// A privileged act.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditEntryResponse {
    audit_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who did it; null if the deployment's own settings did, or its operator with `karcis`.
    actor_id: Option<Uuid>,
    #[schema(examples("give_role"))]
    action: String,
    /// The account, event, booking or message that it was done to; all zeros if `detail` names it.
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
    params(PageQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "A page of privileged acts.",
        body = List<AuditEntryResponse>)))]
pub(super) async fn show(
    State(state): State<OpsState>,
    _operator: Operator,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<AuditEntryResponse>>, Problem> {
    let page: Page<(Time, Uuid)> = Page::new(query.limit, query.cursor.as_deref())?;
    let after = page.after.map(|(Time(at), id)| (at, id));
    let acts = audit(&state.reads, after, page.limit + 1).await?;
    let acts = List::of(acts, page.limit, |act| (act.at, act.audit_id));
    Ok(Json(acts.map(Into::into)))
}
