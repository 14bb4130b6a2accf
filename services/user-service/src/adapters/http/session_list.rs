//! `/sessions`: people see where they are logged in, and end sessions.

use axum::{extract::State, http::StatusCode};
use karcis_http::{Json, PathId, Problem};
use karcis_process::trace;

use super::{ApiState, SESSIONS, live_caller::LiveCaller, responses::SessionsResponse};
use crate::{
    application::{WhichSessions, end_sessions},
    domain::{Actor, SessionId},
};

/// Where the caller is logged in, the session used last first.
#[utoipa::path(get, path = "/sessions", tag = SESSIONS, operation_id = "sessions",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The sessions, at most 100.", body = SessionsResponse),
    ))]
pub(super) async fn list(
    State(state): State<ApiState>,
    LiveCaller { actor, .. }: LiveCaller,
) -> Result<Json<SessionsResponse>, Problem> {
    let sessions = state.accounts.sessions(actor.user_id).await?;
    Ok(Json(SessionsResponse::new(sessions, actor.session)))
}

/// Ends one of the caller's sessions. Its access token stays good for up to 15 minutes elsewhere.
#[utoipa::path(delete, path = "/sessions/{session_id}", tag = SESSIONS,
    operation_id = "endSession", security(("bearer" = [])),
    params(("session_id" = uuid::Uuid, Path, description = "The session.")),
    responses(
        (status = 204, description = "The session is over."),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn end(
    State(state): State<ApiState>,
    PathId(session): PathId,
    LiveCaller { actor, .. }: LiveCaller,
) -> Result<StatusCode, Problem> {
    match end_which(&state, actor, WhichSessions::One(SessionId(session))).await? {
        0 => Err(Problem::not_found()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Ends all the caller's sessions but this one.
#[utoipa::path(delete, path = "/sessions", tag = SESSIONS, operation_id = "endOtherSessions",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "The other sessions are over."),
    ))]
pub(super) async fn end_others(
    State(state): State<ApiState>,
    LiveCaller { actor, .. }: LiveCaller,
) -> Result<StatusCode, Problem> {
    end_which(&state, actor, WhichSessions::AllOthers).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_which(state: &ApiState, actor: Actor, which: WhichSessions) -> Result<u64, Problem> {
    let security = &*state.password_check.security;
    let ending = end_sessions(&*state.accounts, security, actor, which);
    Ok(trace::span("end_sessions", ending).await?)
}
