//! The caller as the database knows them now: their session is live, and their role is the account's.

use axum::{extract::FromRequestParts, http::request::Parts};
use karcis_http::{Caller, Problem};
use karcis_kernel::Role;

use super::ApiState;
use crate::domain::{Account, Actor, SessionId};

/// A caller whose session has not ended; else 401.
pub(super) struct LiveCaller {
    pub actor: Actor,
    /// `None` if it is gone: 404, which comes after what is wrong with a body.
    pub account: Option<Account>,
}

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
        live(parts, state).await
    }
}

impl FromRequestParts<ApiState> for LiveAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let LiveCaller { actor, account } = live(parts, state).await?;
        match account.map(|account| account.role) {
            Some(Role::Admin) => Ok(Self(Some(actor))),
            Some(_) => Err(Problem::wrong_role()),
            None => Ok(Self(None)),
        }
    }
}

async fn live(parts: &mut Parts, state: &ApiState) -> Result<LiveCaller, Problem> {
    let caller = <Caller as FromRequestParts<ApiState>>::from_request_parts(parts, state).await?;
    let actor = Actor { user_id: caller.user_id, session: caller.session_id.map(SessionId) };
    let account = state.accounts.by_id(actor.user_id).await?;
    if let Some(account) = &account
        && (account.disabled_at.is_some() || !state.accounts.is_live(actor).await?)
    {
        return Err(Problem::not_logged_in("the session has ended; log in with POST /login"));
    }
    Ok(LiveCaller { actor, account })
}
