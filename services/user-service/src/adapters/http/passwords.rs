//! `/password/forgot` and `/password/reset`: people choose a new password with a token from an e-mail.

use axum::{extract::State, http::StatusCode};
use karcis_http::{FieldErrors, Json, Problem};
use karcis_process::trace;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApiState, SESSIONS,
    responses::{EmailAddress, NewPassword},
};
use crate::{
    adapters::secret_tokens,
    application::reset_password,
    domain::{AccountMail, ClientIp, Email, Password},
};

/// The e-mail address of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForgotPasswordRequest {
    #[schema(value_type = EmailAddress)]
    email: String,
}

/// The token of an e-mail and a new password. It has no `Debug`, as these are secrets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetPasswordRequest {
    #[schema(pattern = r"^[^\x00]*$", examples("FXwKuzVn0qB7n2QnUj4tP8sV1m6aYd3cE5gHkLrTzWo"))]
    token: String,
    #[schema(value_type = NewPassword)]
    password: String,
}

/// Sends an e-mail with a token that may choose a new password. The answer is the same whether or not the
/// address has an account.
#[utoipa::path(post, path = "/password/forgot", tag = SESSIONS, operation_id = "forgotPassword",
    request_body = ForgotPasswordRequest,
    responses((status = 202, description = "If the address has an account, an e-mail is on its way.")))]
pub(super) async fn forgot(
    State(state): State<ApiState>,
    client_ip: ClientIp,
    Json(request): Json<ForgotPasswordRequest>,
) -> Result<StatusCode, Problem> {
    state.logins.admit(&client_ip)?;
    let mut fields = FieldErrors::new();
    let Some(email) = fields.check("email", Email::parse(&request.email)) else {
        return Err(fields.into_problem());
    };
    state.mails.add(&AccountMail::reset(email)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Chooses a new password with the token of an e-mail, once and within 30 minutes. All sessions end, and the
/// address is verified.
#[utoipa::path(post, path = "/password/reset", tag = SESSIONS, operation_id = "resetPassword",
    request_body = ResetPasswordRequest,
    responses((status = 204, description = "The account has the new password.")))]
pub(super) async fn reset(
    State(state): State<ApiState>,
    client_ip: ClientIp,
    Json(request): Json<ResetPasswordRequest>,
) -> Result<StatusCode, Problem> {
    state.logins.admit(&client_ip)?;
    let mut fields = FieldErrors::new();
    let Some(password) = fields.check("password", Password::choose(request.password)) else {
        return Err(fields.into_problem());
    };
    let token = secret_tokens::hash(&request.token);
    let (accounts, check) = (&*state.accounts, &state.password_check);
    let resetting = reset_password(accounts, check, &token, password, &client_ip);
    trace::span("reset_password", resetting).await?;
    Ok(StatusCode::NO_CONTENT)
}
