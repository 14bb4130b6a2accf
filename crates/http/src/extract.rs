//! Extractors that reject bad input with the problems of the HTTP contract.

use std::{str::FromStr, time::Duration};

use axum::{
    body::BodyDataStream,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Problem, explain, scan::scan};

const MAX_BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a body that is too large is still read: a sender reads the response only after it has
/// sent the body.
const MAX_DISCARDED_BYTES: usize = 1024 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// As an extractor: a JSON object of at most 64 KiB; else 413, 415, 400 or 422 with the field's path,
/// in this order. A NUL in a string is 422. Give request types `#[serde(deny_unknown_fields)]`.
/// As a response: JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let body = read(request).await?;
        if !is_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body must be JSON",
            )
            .detail("send JSON with `Content-Type: application/json`, such as by `curl --json`"));
        }
        let text = str::from_utf8(&body).map_err(|_| Problem::not_json("the body is not UTF-8"))?;
        if text.trim_ascii().is_empty() {
            return Err(Problem::not_json("the body is empty; send a JSON object"));
        }
        scan(text)?;
        // serde would accept a list of the fields' values in place of an object.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(Problem::invalid_field("body", "give an object"));
        }
        let mut json = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut json).map(Self).map_err(explain::problem)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The body as it was sent, at most 64 KiB; else 413.
#[derive(Debug)]
pub struct RawBody(pub Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        read(request).await.map(Self)
    }
}

/// `application/json`, or a type built on it such as `application/merge-patch+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

async fn read(request: Request) -> Result<Vec<u8>, Problem> {
    let headers = request.headers();
    let declared_bytes: Option<u64> =
        headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let expects_continue = headers.contains_key(EXPECT);
    let mut chunks = request.into_body().into_data_stream();
    if declared_bytes.is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        if !expects_continue {
            discard(chunks).await;
        }
        return Err(too_large());
    }
    let mut body = Vec::new();
    let arrived = tokio::time::timeout(BODY_TIMEOUT, async {
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Problem::not_json("the body was cut short"))?;
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Ok(false);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(true)
    });
    match arrived.await {
        Ok(Ok(true)) => Ok(body),
        Ok(Ok(false)) => {
            discard(chunks).await;
            Err(too_large())
        }
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err(Problem::not_json("the body took longer than 30 s to arrive")),
    }
}

async fn discard(mut chunks: BodyDataStream) {
    let mut bytes = 0;
    let read = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            bytes += chunk.len();
            if bytes > MAX_DISCARDED_BYTES {
                return;
            }
        }
    };
    // A sender that is too slow is treated like one that sends too much: the connection is closed.
    drop(tokio::time::timeout(DISCARD_TIMEOUT, read).await);
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large")
        .detail("send at most 64 KiB")
}

/// The query string; unknown parameters are ignored, wrong values are 422 with their name.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        if let Some((name, _)) = pairs.clone().find(|(_, value)| value.contains('\0')) {
            return Err(Problem::invalid_field(name, "leave out the NUL character (%00)"));
        }
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map(Self)
            .map_err(explain::problem)
    }
}

/// The one id in the path; a text that is no UUID is 404. Put it before the caller: 404 comes before
/// 401.
#[derive(Debug)]
pub struct PathId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<Uuid>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| Problem::not_found())
    }
}

/// The one text in the path; what is no text is 404.
#[derive(Debug)]
pub struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(text)| Self(text)).map_err(|_| Problem::not_found())
    }
}

/// `Prefer: wait=N` (RFC 7240) in seconds, at most 10; anything else is ignored.
#[derive(Debug)]
pub struct PreferWait(pub Option<Duration>);

impl<S: Send + Sync> FromRequestParts<S> for PreferWait {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Self, std::convert::Infallible> {
        const MAX_S: u64 = 10;
        let headers = parts.headers.get_all("prefer").into_iter();
        let wait = headers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            // A preference may have parameters of its own behind a semicolon.
            .filter_map(|preference| preference.split(';').next()?.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
            .map(|(_, seconds)| seconds.trim().trim_matches('"'))
            .filter(|s| !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit()))
            // These are all digits, so a text that cannot be parsed is too large a number.
            .map(|seconds| Duration::from_secs(u64::from_str(seconds).unwrap_or(MAX_S).min(MAX_S)));
        Ok(Self(wait))
    }
}
