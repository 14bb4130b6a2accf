//! Who may create bookings.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use karcis_http::{Caller, Problem};

use super::ApiState;

/// A caller who may create bookings; 403 if only those may whose e-mail address is verified.
pub(super) struct Buyer(pub Caller);

impl FromRequestParts<ApiState> for Buyer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller =
            <Caller as FromRequestParts<ApiState>>::from_request_parts(parts, state).await?;
        if caller.email_verified || !state.require_verified_email {
            return Ok(Self(caller));
        }
        let title = "The e-mail address is not verified";
        Err(Problem::new(StatusCode::FORBIDDEN, "email-not-verified", title).detail(
            "give the token of our e-mail to POST /email/verify (POST /email/verification sends it \
             again), then get another access token with POST /token/refresh",
        ))
    }
}
