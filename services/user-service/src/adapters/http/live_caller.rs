//! The caller as the database knows them now: their session is live, and their role is the account's.

use axum::{extract::FromRequestParts, http::request::Parts};
use karcis_http::{Caller, Problem};
use karcis_kernel::Role;

use super::ApiState;
use crate::domain::{Actor, SessionId};

/// A caller whose session has not ended; else 401. An account that is gone is found missing later, as 404
/// comes after what is wrong with a body.
pub(super) struct LiveCaller(pub Actor);

/// The same with the role admin, whatever the token says; else 403.
pub(super) struct LiveAdmin(Option<Actor>);

impl LiveAdmin {
    /// The admin, unless the account is gone: 403. To be asked after the body was looked at.
    pub(super) fn actor(self) -> Result<Actor, Problem> {
        self.0.ok_or_else(Problem::wrong_role)
    }
}

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
            (actor, Some(Role::Admin)) => Ok(Self(Some(actor))),
            (_, Some(_)) => Err(Problem::wrong_role()),
            (_, None) => Ok(Self(None)),
        }
    }
}

/// The caller, and the role of the account, unless it is gone.
async fn live(parts: &mut Parts, state: &ApiState) -> Result<(Actor, Option<Role>), Problem> {
    let caller = <Caller as FromRequestParts<ApiState>>::from_request_parts(parts, state).await?;
    let actor = Actor { user_id: caller.user_id, session: caller.session_id.map(SessionId) };
    let Some(account) = state.accounts.by_id(actor.user_id).await? else {
        return Ok((actor, None));
    };
    if account.disabled_at.is_none() && state.accounts.is_live(actor).await? {
        Ok((actor, Some(account.role)))
    } else {
        Err(Problem::not_logged_in("the session has ended; log in with POST /login"))
    }
}
