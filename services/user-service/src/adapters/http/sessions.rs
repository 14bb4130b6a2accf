//! `/register`, `/login`, `/token/refresh`, `/logout`.

use axum::{
    extract::State,
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use karcis_http::{FieldErrors, Json, Problem};
use karcis_kernel::{Timestamp, UserId};
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ApiState, SESSIONS,
    responses::{EmailAddress, FullName, NewPassword, SessionResponse},
    user_agent::ClientName,
};
use crate::{
    adapters::secret_tokens,
    application::{self, LogIn, LoggedIn, Registration, refresh_session},
    domain::{
        Account, ClientIp, Email, NewSession, Password, PersonName, SessionId, TypedPassword,
    },
};

// The bodies have no `Debug`, as they contain secrets.

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterRequest {
    #[schema(value_type = EmailAddress)]
    email: String,
    #[schema(value_type = NewPassword)]
    password: String,
    #[schema(value_type = FullName)]
    name: String,
}

/// An e-mail address and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogInRequest {
    #[schema(value_type = EmailAddress)]
    email: String,
    #[schema(format = Password, pattern = r"^[^\x00]*$", examples("nine mangoes in a boat"))]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshTokenRequest {
    #[schema(pattern = r"^[^\x00]*$", examples("FXwKuzVn0qB7n2QnUj4tP8sV1m6aYd3cE5gHkLrTzWo"))]
    refresh_token: String,
}

/// Opens a buyer's account and logs in.
#[utoipa::path(post, path = "/register", tag = SESSIONS, operation_id = "register",
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "The account's first session.", body = SessionResponse),
        (status = 409, description = "email-taken"),
    ))]
pub(super) async fn register(
    State(state): State<ApiState>,
    client_ip: ClientIp,
    client_name: ClientName,
    Json(request): Json<RegisterRequest>,
) -> Result<Response, Problem> {
    state.registrations.admit(&client_ip)?;
    let mut fields = FieldErrors::new();
    let email = fields.check("email", Email::parse(&request.email));
    let password = fields.check("password", Password::choose(request.password));
    let password = match (&email, password) {
        (Some(email), Some(password)) => fields.check("password", password.for_account(email)),
        (_, password) => password,
    };
    let name = fields.check("name", PersonName::parse(&request.name));
    let (Some(email), Some(password), Some(name)) = (email, password, name) else {
        return Err(fields.into_problem());
    };
    let at = now();
    let (refresh_token, session) = new_session(client_ip, client_name, at);
    let (id, user_id) = (session.id, UserId(Uuid::now_v7()));
    let registration = Registration { user_id, email, password, name, session };
    let (accounts, passwords) = (&*state.accounts, &*state.password_check.passwords);
    let registering = application::register(accounts, passwords, registration, at);
    let account = trace::span("register", registering).await?;
    respond(&state, StatusCode::CREATED, account, id, refresh_token, at)
}

/// Logs in.
///
/// Wrong passwords are limited per account and network address together; many of one account delay the
/// next ones, but not from where its owner logged in before.
#[utoipa::path(post, path = "/login", tag = SESSIONS, operation_id = "logIn",
    request_body = LogInRequest,
    responses(
        (status = 200, description = "A new session.", body = SessionResponse),
        (status = 401, description = "wrong-credentials"),
        (status = 429, description = "too-many-requests"),
    ))]
pub(super) async fn log_in(
    State(state): State<ApiState>,
    client_ip: ClientIp,
    client_name: ClientName,
    Json(request): Json<LogInRequest>,
) -> Result<Response, Problem> {
    state.logins.admit(&client_ip)?;
    let mut fields = FieldErrors::new();
    let Some(email) = fields.check("email", Email::parse(&request.email)) else {
        return Err(fields.into_problem());
    };
    let at = now();
    let (refresh_token, session) = new_session(client_ip, client_name, at);
    let id = session.id;
    let login = LogIn { email, password: TypedPassword(request.password), session };
    let logging_in = application::log_in(&*state.accounts, &state.password_check, login);
    let LoggedIn { account, kept_hash } = trace::span("log_in", logging_in).await?;
    if let Some(error) = kept_hash {
        tracing::warn!(%error, "a password hash of older parameters was not replaced");
    }
    respond(&state, StatusCode::OK, account, id, refresh_token, at)
}

/// Exchanges a refresh token, which can be used once, for new tokens.
///
/// Using it again ends the session, as somebody else may have it; but for 10 s, while no next token is used,
/// it may be repeated, as two tabs do. All next tokens are good until 10 s after the first of them is used. A
/// buyer's session lasts 90 days at most, those of other roles 12 hours.
#[utoipa::path(post, path = "/token/refresh", tag = SESSIONS, operation_id = "refresh",
    request_body = RefreshTokenRequest,
    responses(
        (status = 200, description = "The session with new tokens.", body = SessionResponse),
        (status = 401, description = "not-logged-in"),
    ))]
pub(super) async fn refresh(
    State(state): State<ApiState>,
    Json(request): Json<RefreshTokenRequest>,
) -> Result<Response, Problem> {
    let at = now();
    let (refresh_token, next) = secret_tokens::generate();
    let presented = secret_tokens::hash(&request.refresh_token);
    let security = &*state.password_check.security;
    let refreshing = refresh_session(&*state.accounts, security, &presented, next, at);
    let (account, session) = trace::span("refresh_session", refreshing).await?;
    respond(&state, StatusCode::OK, account, session, refresh_token, at)
}

/// Ends a session, if it has not ended.
#[utoipa::path(post, path = "/logout", tag = SESSIONS, operation_id = "logOut",
    request_body = RefreshTokenRequest,
    responses((status = 204, description = "The session is over.")))]
pub(super) async fn log_out(
    State(state): State<ApiState>,
    Json(request): Json<RefreshTokenRequest>,
) -> Result<StatusCode, Problem> {
    state.accounts.end_session_of(&secret_tokens::hash(&request.refresh_token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn new_session(
    client_ip: ClientIp,
    ClientName(user_agent): ClientName,
    began_at: Timestamp,
) -> (String, NewSession) {
    let (refresh_token, token) = secret_tokens::generate();
    let id = SessionId(Uuid::now_v7());
    (refresh_token, NewSession { id, token, began_at, client_ip, user_agent })
}

fn respond(
    state: &ApiState,
    status: StatusCode,
    account: Account,
    session: SessionId,
    refresh_token: String,
    at: Timestamp,
) -> Result<Response, Problem> {
    let access_token =
        state.access_tokens.sign(&account, session, at).map_err(Problem::internal)?;
    let session = SessionResponse::new(access_token, refresh_token, account);
    Ok((status, [(CACHE_CONTROL, "no-store")], Json(session)).into_response())
}
