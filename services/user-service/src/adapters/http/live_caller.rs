//! The caller as the database knows them now: their session is live, and their role is the account's.

use axum::{extract::FromRequestParts, http::request::Parts};
use karcis_http::{Caller, Problem};
use karcis_kernel::Role;

use super::ApiState;
use crate::domain::{Actor, SessionId};

/// A caller whose account is there and whose session has not ended; else 404 or 401.
pub(super) struct LiveCaller(pub Actor);

/// The same with the role admin, whatever the token says; else 403.
pub(super) struct LiveAdmin(pub Actor);

impl FromRequestParts<ApiState> for LiveCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        live(parts, state).await.map(|(actor, _)| Self(actor))
    }
}

impl FromRequestParts<ApiState> for LiveAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        match live(parts, state).await? {
            (actor, Role::Admin) => Ok(Self(actor)),
            _ => Err(Problem::wrong_role()),
        }
    }
}

async fn live(parts: &mut Parts, state: &ApiState) -> Result<(Actor, Role), Problem> {
    let caller = <Caller as FromRequestParts<ApiState>>::from_request_parts(parts, state).await?;
    let actor = Actor { user_id: caller.user_id, session: caller.session_id.map(SessionId) };
    let account = state.accounts.by_id(actor.user_id).await?.ok_or_else(Problem::not_found)?;
    if account.disabled_at.is_none() && state.accounts.is_live(actor).await? {
        Ok((actor, account.role))
    } else {
        Err(Problem::not_logged_in("the session has ended; log in with POST /login"))
    }
}
