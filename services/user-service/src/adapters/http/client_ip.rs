//! The client's network address as the domain knows it.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::domain::ClientIp;

impl<S: Send + Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let client_ip = karcis_http::ClientIp::from_request_parts(parts, state).await?;
        Ok(Self(client_ip.to_string()))
    }
}
