//! What operators do of people's sessions, of which somebody else may have the tokens.

mod responses;

use axum::extract::State;
use karcis_database::ByOperator;
use karcis_http::{Json, OPERATORS, Operator, PathId, Problem, ReasonRequest};
use karcis_kernel::UserId;
use karcis_process::trace;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::responses::EndedSessionsResponse;
use super::ApiState;
use crate::application::end_sessions_by_operator;

/// What operators do.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(end_all)).routes(routes!(end_of))
}

/// Ends everybody's sessions: all have to log in again. Twice is harmless.
///
/// Access tokens stay good for up to 15 minutes.
#[utoipa::path(post, path = "/ops/user/sessions/end", tag = OPERATORS,
    operation_id = "endSessionsOfAll", request_body = ReasonRequest,
    security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "They have ended.", body = EndedSessionsResponse)))]
async fn end_all(
    State(state): State<ApiState>,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<EndedSessionsResponse>, Problem> {
    end(&state, operator, &request, None).await
}

/// Ends all sessions of a person, who has to log in again. Twice is harmless.
///
/// Access tokens stay good for up to 15 minutes.
#[utoipa::path(post, path = "/ops/user/{user_id}/sessions/end", tag = OPERATORS,
    operation_id = "endSessionsOfUser", request_body = ReasonRequest,
    params(("user_id" = UserId, Path, description = "Whose sessions.")),
    security(("bearer" = ["operator", "admin"])),
    responses(
        (status = 200, description = "They have ended.", body = EndedSessionsResponse),
        (status = 404, description = "not-found"),
    ))]
async fn end_of(
    State(state): State<ApiState>,
    PathId(id): PathId,
    operator: Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<EndedSessionsResponse>, Problem> {
    let user = UserId(id);
    let account = state.accounts.by_id(user).await?;
    account.ok_or_else(Problem::not_found)?;
    end(&state, operator, &request, Some(user)).await
}

async fn end(
    state: &ApiState,
    operator: Operator,
    request: &ReasonRequest,
    user: Option<UserId>,
) -> Result<Json<EndedSessionsResponse>, Problem> {
    let by = ByOperator { actor: operator.0.user_id, reason: request.parse()? };
    let mut act = by.act("end_sessions", user.map_or(Uuid::nil(), |user| user.0));
    act.detail = user.is_none().then(|| "of everybody".into());
    let security = &*state.password_check.security;
    let ending = end_sessions_by_operator(&*state.accounts, security, user, act);
    let ended = trace::span("end_sessions_by_operator", ending).await?;
    Ok(Json(EndedSessionsResponse { ended }))
}
