//! Who calls: access tokens, checked against user-service's published keys.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{header::AUTHORIZATION, request::Parts},
};
use karcis_kernel::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Problem, TokenKeys};

/// The tokens' `iss`.
pub const ISSUER: &str = "karcis";
/// The tokens' `aud`.
pub const AUDIENCE: &str = "karcis";
/// The tokens' `typ` header (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Always [`ISSUER`].
    pub iss: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    pub sub: UserId,
    pub role: Role,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Expires at, in seconds since 1970.
    pub exp: i64,
    /// The session. Tokens of other issuers and of older releases may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
}

/// The logged-in caller; 401 without a valid token. Public endpoints take `Option<Caller>`, where a
/// bad token is still 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user_id: UserId,
    pub role: Role,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// The session, if the token names it. Only user-service knows whether it has ended.
    pub session_id: Option<Uuid>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?.ok_or_else(
            || {
                Problem::not_logged_in(
                    "log in with POST /login and send its access_token as \
                     `Authorization: Bearer <access_token>`",
                )
            },
        )
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else { return Ok(None) };
        let token = header.to_str().ok().and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let Some(token) = token else {
            return Err(Problem::not_logged_in(
                "send `Authorization: Bearer <access_token>` with a token from POST /login",
            ));
        };
        match parts.extensions.get::<TokenKeys>() {
            Some(keys) => keys.verify(token).await.map(Some),
            None => Err(Problem::internal("the routes are served without token keys")),
        }
    }
}

macro_rules! restricted {
    ($($(#[$doc:meta])* $name:ident: $($role:ident)|+;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub Caller);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
                match caller.role {
                    $(Role::$role)|+ => Ok(Self(caller)),
                    _ => Err(Problem::wrong_role()),
                }
            }
        }
    )+};
}

restricted! {
    /// An organiser or admin; 403 for others.
    Organiser: Organiser | Admin;
    /// An admin; 403 for others.
    Admin: Admin;
    /// An operator or admin; 403 for others.
    Operator: Operator | Admin;
}
