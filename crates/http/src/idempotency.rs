//! `Idempotency-Key`: what a service needs to tell a repeated request from a new one.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use sha2::{Digest, Sha256};

use crate::Problem;

/// The header that marks the response to a repeated request; its value is `true`.
pub const REPLAYED: &str = "idempotent-replayed";

const HEADER: &str = "Idempotency-Key";
const MAX_CHARACTERS: usize = 255;

/// The request's key, if it has one; a key that is empty, over 255 characters or not visible ASCII is
/// 422.
///
/// The service stores user, key and fingerprint in the transaction of the request: a later request
/// with the same fingerprint is a replay, one with another is [`IdempotencyKey::reused`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    /// SHA-256 of path and JSON body (its keys sorted, so that spacing and order do not matter).
    pub fn fingerprint(path: &str, body: &impl serde::Serialize) -> Vec<u8> {
        // A parsed request can always be written as JSON.
        let mut body = serde_json::to_value(body).unwrap_or_default();
        body.sort_all_objects();
        // No path contains a NUL, so it separates the two.
        Sha256::digest(format!("{path}\0{body}")).to_vec()
    }

    /// 422 `idempotency-key-reused`.
    pub fn reused() -> Problem {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "The idempotency key was used for another request",
        )
        .detail("give each new request a key of its own; repeat one only with the same body")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all(HEADER).into_iter();
        let Some(key) = keys.next() else { return Ok(Self(None)) };
        let key = key.as_bytes();
        let valid = (1..=MAX_CHARACTERS).contains(&key.len())
            && key.iter().all(u8::is_ascii_graphic)
            && keys.next().is_none();
        match str::from_utf8(key) {
            Ok(key) if valid => Ok(Self(Some(key.to_owned()))),
            _ => Err(Problem::invalid_field(
                HEADER,
                "give one key of 1 to 255 visible ASCII characters",
            )),
        }
    }
}
