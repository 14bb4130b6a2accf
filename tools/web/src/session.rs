//! Browser sessions: the refresh token stays in a cookie that no script can read, and the app gets the
//! rest of what user-service answers.

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use karcis_http::Problem;
use karcis_process::chain;
use karcis_schemas::USER;
use serde_json::{Map, Value, json};

use crate::pass::Passing;

const NAME: &str = "karcis_session";
/// What `POST /session/logout` leaves: Secure cookies are sent over TLS, and to this machine itself.
const CLEARED: HeaderValue = HeaderValue::from_static(
    "karcis_session=; HttpOnly; Secure; SameSite=Strict; Path=/session; Max-Age=0",
);
/// How long user-service takes a refresh token: a buyer's, and others', whose sessions are short.
const BUYERS_AGE_S: u32 = 30 * 24 * 3600;
const STAFFS_AGE_S: u32 = 12 * 3600;
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What the app calls to log in and out.
pub(crate) fn routes() -> Router<Passing> {
    Router::new()
        .route("/session/login", post(log_in))
        .route("/session/register", post(register))
        .route("/session/refresh", post(refresh))
        .route("/session/logout", post(log_out))
}

async fn log_in(State(passing): State<Passing>, request: Request) -> Result<Response, Problem> {
    with_cookie(passing.pass(&USER, at("/login", request)).await?).await
}

async fn register(State(passing): State<Passing>, request: Request) -> Result<Response, Problem> {
    with_cookie(passing.pass(&USER, at("/register", request)).await?).await
}

/// A new access token for who has the cookie; 204 for who has none, or whose session has ended.
async fn refresh(State(passing): State<Passing>, request: Request) -> Result<Response, Problem> {
    let Some(token) = token(request.headers()) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let answer = passing.pass(&USER, with_token(request, "/token/refresh", &token)).await?;
    if is_of_no_session(answer.status()) {
        return Ok(cleared(StatusCode::NO_CONTENT));
    }
    with_cookie(answer).await
}

/// The cookie goes whatever user-service answers: who logs out of a shared machine is not to stay
/// logged in there. An answer other than 204 says that the session may live on elsewhere.
async fn log_out(State(passing): State<Passing>, request: Request) -> Response {
    let Some(token) = token(request.headers()) else { return cleared(StatusCode::NO_CONTENT) };
    let mut answer = match passing.pass(&USER, with_token(request, "/logout", &token)).await {
        Ok(answer) if answer.status().is_success() || is_of_no_session(answer.status()) => {
            return cleared(StatusCode::NO_CONTENT);
        }
        Ok(answer) => answer,
        Err(problem) => problem.into_response(),
    };
    answer.headers_mut().insert(SET_COOKIE, CLEARED);
    answer
}

/// Whether user-service says so that the token is none of a session.
fn is_of_no_session(status: StatusCode) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::UNPROCESSABLE_ENTITY].contains(&status)
}

fn cleared(status: StatusCode) -> Response {
    (status, [(SET_COOKIE, CLEARED)]).into_response()
}

/// The refresh token that the browser sent.
fn token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = named.find(|(name, token)| *name == NAME && !token.is_empty())?;
    Some(token.to_owned())
}

/// The request as one for user-service's endpoint.
fn at(path: &'static str, mut request: Request) -> Request {
    *request.uri_mut() = Uri::from_static(path);
    request
}

/// A call of user-service's endpoint with this token, from the client of the request.
fn with_token(request: Request, path: &'static str, token: &str) -> Request {
    let (mut head, _) = request.into_parts();
    head.method = Method::POST;
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = json!({ "refresh_token": token }).to_string();
    at(path, Request::from_parts(head, Body::from(body)))
}

/// A session without its refresh token, which is in the cookie; all other answers as they are.
async fn with_cookie(answer: Response) -> Result<Response, Problem> {
    let (head, body) = answer.into_parts();
    if !head.status.is_success() {
        return Ok(Response::from_parts(head, body));
    }
    let bytes = to_bytes(body, MAX_ANSWER_BYTES).await;
    let bytes = bytes.map_err(|error| Problem::unavailable(chain(&error)))?;
    let session: Option<Map<String, Value>> = serde_json::from_slice(&bytes).ok();
    let mut session = session.ok_or_else(|| Problem::internal("user-service sent no session"))?;
    let token = session.remove("refresh_token");
    let cookie = token.as_ref().and_then(Value::as_str).and_then(|token| {
        let is_buyer = session.get("user")?.get("role")? == "buyer";
        let age_s = if is_buyer { BUYERS_AGE_S } else { STAFFS_AGE_S };
        HeaderValue::from_str(&format!(
            "{NAME}={token}; HttpOnly; Secure; SameSite=Strict; Path=/session; Max-Age={age_s}"
        ))
        .ok()
    });
    let cookie = cookie.ok_or_else(|| Problem::internal("user-service sent no refresh token"))?;
    Ok((head.status, [(SET_COOKIE, cookie)], Json(session)).into_response())
}
