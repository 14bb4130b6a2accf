//! What the client says it is, as an extractor.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header::USER_AGENT, request::Parts},
};

use crate::domain::UserAgent;

/// The client's name, if it gives one.
pub(super) struct ClientName(pub Option<UserAgent>);

impl<S: Send + Sync> FromRequestParts<S> for ClientName {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get(USER_AGENT).map(|value| value.as_bytes());
        let text = header.map(String::from_utf8_lossy);
        Ok(Self(text.and_then(|text| UserAgent::plain(&text))))
    }
}
