//! Who calls: access tokens, checked against user-service's published keys.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use jsonwebtoken::jwk::JwkSet;
use karcis_kernel::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::Problem;

/// The tokens' `iss`.
pub const ISSUER: &str = "karcis";
/// The tokens' `aud`.
pub const AUDIENCE: &str = "karcis";
/// The tokens' `typ` header (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";

/// What an access token says. EdDSA, issuer, audience and type pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Always [`ISSUER`].
    pub iss: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    /// The account.
    pub sub: UserId,
    /// What it may do.
    pub role: Role,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Expires at, in seconds since 1970.
    pub exp: i64,
}

/// The keys tokens are checked against; verified tokens are remembered until they expire.
#[derive(Clone)]
pub struct TokenKeys {
    // an Arc of: where from, the keys by kid, when last fetched, verified tokens
}

impl TokenKeys {
    /// These keys, for the service that owns them.
    pub fn fixed(_keys: &JwkSet) -> Self {
        todo!()
    }

    /// The keys at this URL, once [`Self::keep_fresh`] has fetched them; until then callers get 503.
    pub fn fetched_from(_jwks_url: &str) -> Self {
        todo!()
    }

    /// Fetches the keys, again whenever a token names an unknown one (at most every 30 s), until
    /// `stopping`.
    pub async fn keep_fresh(self, _stopping: CancellationToken) -> Result<(), Infallible> {
        todo!()
    }

    /// Whether there are keys yet.
    pub fn are_known(&self) -> bool {
        todo!()
    }

    /// Who this token stands for: 401 `not-logged-in` if it is altered, expired or of another kind,
    /// 503 while there are no keys.
    pub async fn verify(&self, _token: &str) -> Result<Caller, Problem> {
        todo!()
    }
}

/// Somebody who is logged in: 401 without a valid token. `Option<Caller>` for calls that are also
/// public (a bad token is still 401).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub user_id: UserId,
    /// What it may do.
    pub role: Role,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        todo!()
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        todo!()
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
