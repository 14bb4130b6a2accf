//! Registering, logging in and out, and staying logged in.

use axum::{
    extract::State,
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use karcis_http::{Fields, Json, Problem};
use karcis_kernel::{Timestamp, UserId};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    adapters::{
        http::{Api, peer::SentBy, shapes::Session},
        refresh_tokens,
    },
    application::{
        log_in::{self, LogIn},
        refresh_session::refresh_session,
        register::{self, Registration},
    },
    domain::{
        Account, Email, NewSession, NewToken, Password, PersonName, SessionId, TypedPassword,
    },
};

/// The bodies have no `Debug`, as they hold secrets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registering {
    email: String,
    password: String,
    name: String,
}

/// An e-mail address and what is said to be its password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
}

/// A refresh token, to be used or given back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    refresh_token: String,
}

/// POST /register
pub async fn register(
    State(api): State<Api>,
    Json(body): Json<Registering>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let email = fields.check("email", Email::parse(&body.email));
    let password = fields.check("password", Password::choose(body.password));
    let name = fields.check("name", PersonName::parse(&body.name));
    let (Some(email), Some(password), Some(name)) = (email, password, name) else {
        return Err(fields.refused());
    };
    let at = karcis_process::now();
    let (refresh_token, session) = draw_session(at);
    let user_id = UserId(Uuid::now_v7());
    let registration = Registration { user_id, email, password, name, session };
    let (accounts, passwords) = (&*api.accounts, &*api.check.passwords);
    let account = register::register(accounts, passwords, registration, at).await?;
    answer(&api, StatusCode::CREATED, account, session.id, refresh_token, at)
}

/// POST /login
pub async fn log_in(
    State(api): State<Api>,
    SentBy(peer): SentBy,
    Json(body): Json<Credentials>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let Some(email) = fields.check("email", Email::parse(&body.email)) else {
        return Err(fields.refused());
    };
    let at = karcis_process::now();
    let (refresh_token, session) = draw_session(at);
    let login = LogIn { email, password: TypedPassword(body.password), peer, session };
    let account = log_in::log_in(&*api.accounts, &api.check, login, at).await?;
    answer(&api, StatusCode::OK, account, session.id, refresh_token, at)
}

/// POST /token/refresh
pub async fn refresh(
    State(api): State<Api>,
    Json(body): Json<Holding>,
) -> Result<Response, Problem> {
    let at = karcis_process::now();
    let (refresh_token, hash) = refresh_tokens::draw();
    let next = NewToken::given_out(hash, at);
    let presented = refresh_tokens::hash(&body.refresh_token);
    let (account, session) = refresh_session(&*api.accounts, &presented, &next, at).await?;
    answer(&api, StatusCode::OK, account, session, refresh_token, at)
}

/// POST /logout: 204 whether or not the session was still there.
pub async fn log_out(
    State(api): State<Api>,
    Json(body): Json<Holding>,
) -> Result<StatusCode, Problem> {
    api.accounts.end_session_of(&refresh_tokens::hash(&body.refresh_token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn draw_session(at: Timestamp) -> (String, NewSession) {
    let (refresh_token, hash) = refresh_tokens::draw();
    let token = NewToken::given_out(hash, at);
    (refresh_token, NewSession { id: SessionId(Uuid::now_v7()), token })
}

fn answer(
    api: &Api,
    status: StatusCode,
    account: Account,
    session: SessionId,
    refresh_token: String,
    at: Timestamp,
) -> Result<Response, Problem> {
    let access_token = api.tokens.sign(&account, session, at).map_err(Problem::internal)?;
    let session = Session::new(access_token, refresh_token, account);
    Ok((status, [(CACHE_CONTROL, "no-store")], Json(session)).into_response())
}
