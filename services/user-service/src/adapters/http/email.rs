//! `/email/verify` and `/email/verification`: people show that they read their e-mail address.

use axum::{extract::State, http::StatusCode};
use karcis_http::{Json, Problem};
use karcis_process::trace;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ApiState, PROFILES, live_caller::LiveCaller};
use crate::{
    adapters::secret_tokens,
    application::verify_email,
    domain::{AccountMail, ClientIp},
};

/// The token of an e-mail. It has no `Debug`, as it is a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyEmailRequest {
    #[schema(pattern = r"^[^\x00]*$", examples("FXwKuzVn0qB7n2QnUj4tP8sV1m6aYd3cE5gHkLrTzWo"))]
    token: String,
}

/// Verifies an e-mail address with the token that an e-mail brought to it. Access tokens say so from the next
/// log-in or refresh on.
#[utoipa::path(post, path = "/email/verify", tag = PROFILES, operation_id = "verifyEmail",
    request_body = VerifyEmailRequest,
    responses((status = 204, description = "The address is verified.")))]
pub(super) async fn verify(
    State(state): State<ApiState>,
    client_ip: ClientIp,
    Json(request): Json<VerifyEmailRequest>,
) -> Result<StatusCode, Problem> {
    state.logins.admit(&client_ip)?;
    let token = secret_tokens::hash(&request.token);
    trace::span("verify_email", verify_email(&*state.accounts, &token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends the caller the e-mail with the token again, if the address is not verified.
///
/// An address that is not verified gets at most three e-mails a day.
#[utoipa::path(post, path = "/email/verification", tag = PROFILES,
    operation_id = "sendVerification", security(("bearer" = [])),
    responses(
        (status = 202, description = "An e-mail is on its way, unless the address is verified."),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn send(
    State(state): State<ApiState>,
    LiveCaller { account, .. }: LiveCaller,
    client_ip: ClientIp,
) -> Result<StatusCode, Problem> {
    state.logins.admit(&client_ip)?;
    let account = account.ok_or_else(Problem::not_found)?;
    if !account.email_verified {
        state.mails.add(&AccountMail::verify(&account)).await?;
    }
    Ok(StatusCode::ACCEPTED)
}
