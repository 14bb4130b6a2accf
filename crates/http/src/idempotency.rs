//! `Idempotency-Key`: what a service needs to tell a repeated request from a new one.

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::Problem;

/// The header that marks a repeated answer; its value is `true`.
pub const REPLAYED: &str = "idempotent-replayed";

/// The request's key, if it has one; over 255 characters, empty or not visible ASCII is 422.
///
/// The service keeps (user, key, fingerprint) with what the request made, in one transaction:
/// the same fingerprint is a replay, another is [`IdempotencyKey::reused`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    /// SHA-256 of path and JSON body (its keys sorted, so that spacing and order do not matter).
    pub fn fingerprint(_path: &str, _body: &impl serde::Serialize) -> Vec<u8> {
        todo!()
    }

    /// 422 `idempotency-key-reused`.
    pub fn reused() -> Problem {
        todo!()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        todo!()
    }
}
