//! Who calls: access tokens, checked against user-service's published keys.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use karcis_kernel::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Problem, TokenError, token};

/// The tokens' `iss`.
pub const ISSUER: &str = "karcis";
/// The tokens' `aud`.
pub const AUDIENCE: &str = "karcis";
/// The tokens' `typ` header (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";

/// What operators see and do, as a tag of the documents.
pub const OPERATORS: &str = "Operators";

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
    /// Whether the account's owner had proven, when the token was issued, to read its e-mail address. Tokens
    /// of other issuers and of older releases say nothing, which is no.
    #[serde(default)]
    pub email_verified: bool,
    /// What the account's owner was called when the token was issued. Tokens of other issuers and of older
    /// releases do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
    /// Whether the account's e-mail address was verified when the token was issued.
    pub email_verified: bool,
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
        match parts.extensions.get::<Login>() {
            Some(Login(outcome)) => Ok((*outcome)?),
            None => Err(Problem::internal("the routes are served without token keys")),
        }
    }
}

/// What the caller is called, in the words of the token; `None` if it does not say it, or there is no token.
/// It is not kept with the [`Caller`]s that are remembered: few requests want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerName(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for CallerName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // Nothing that a token says counts before the token is checked.
        let caller =
            <Caller as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        let token = bearer(&parts.headers)?.filter(|_| caller.is_some());
        Ok(Self(token.and_then(token::unverified_name)))
    }
}

/// Who a request's token says that is calling, if it has one. Found out before the handler runs, once.
#[derive(Clone, Copy)]
pub(crate) struct Login(pub Result<Option<Caller>, TokenError>);

/// The token in the header `Authorization`, if there is one.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, TokenError> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = header.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.map(Some).ok_or(TokenError::NotBearer)
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
    /// Somebody at a door, an organiser or an admin; 403 for others.
    Door: Door | Organiser | Admin;
    /// An operator or admin; 403 for others.
    Operator: Operator | Admin;
}
