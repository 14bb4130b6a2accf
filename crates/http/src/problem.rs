//! Errors as RFC 9457 problem details.

use std::{borrow::Cow, fmt::Display};

use ::metrics::counter;
use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use karcis_database::StoreError;
use karcis_process::{Sampler, chain, trace};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::metrics;

/// A problem+json response. `trace_id` is added from the running task's trace.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: Option<Cow<'static, str>>,
    fields: Vec<FieldError>,
    members: Map<String, Value>,
    retry_after_s: Option<u32>,
}

/// What is wrong with a field of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's path, such as `ticket_types[0].price.amount`.
    pub field: String,
    /// A lower-case fragment that says what to do.
    pub message: String,
}

impl Problem {
    /// A problem of type `/problems/<slug>`.
    pub fn new(status: StatusCode, slug: &'static str, title: &'static str) -> Self {
        let (detail, fields, members) = (None, Vec::new(), Map::new());
        Self(Box::new(Inner { status, slug, title, detail, fields, members, retry_after_s: None }))
    }

    /// Says what happened this time and what to do about it.
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds a member, such as `decline_code`.
    pub fn with(mut self, member: &'static str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => drop(self.0.members.insert(member.to_owned(), value)),
            Err(error) => tracing::error!(%error, member, "a problem's member is no JSON"),
        }
        self
    }

    /// Says after how many seconds to try again (`Retry-After`).
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// The HTTP status of the response.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// 400 `not-json`.
    pub fn not_json(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "not-json", "The body is not JSON").detail(detail)
    }

    /// 401 `not-logged-in`; the detail says why and how to log in.
    pub fn not_logged_in(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-logged-in", "Not logged in").detail(detail)
    }

    /// 403 `wrong-role`.
    pub fn wrong_role() -> Self {
        Self::new(StatusCode::FORBIDDEN, "wrong-role", "Not allowed for this role")
            .detail("your account's role may not do this; an admin can change it (POST /user/role)")
    }

    /// 404 `not-found`: it does not exist, or belongs to somebody else.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found")
            .detail("there is no such thing here, or it is somebody else's")
    }

    /// 404 `not-found` of a path that no route matches.
    pub(crate) fn no_such_path() -> Self {
        Self::not_found().detail("there is nothing at this path; GET / lists what there is")
    }

    /// 409 of this slug.
    pub fn conflict(slug: &'static str, title: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, slug, title)
    }

    /// 422 `invalid-input` with its fields.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", "Invalid input")
                .detail("some fields need another value; see errors");
        problem.0.fields = fields;
        problem
    }

    /// 422 `invalid-input` for one field. The message is a lower-case fragment that says what to do.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// 429 `too-many-requests` with Retry-After in seconds.
    pub fn too_many_requests(seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests")
            .detail(format!("try again in {seconds} s"))
            .retry_after(seconds)
    }

    /// 503 `unavailable` with Retry-After; counts it, and logs the cause, at most once a second.
    pub fn unavailable(cause: impl Display) -> Self {
        static LINES: Sampler = Sampler::new();
        counter!(metrics::UNAVAILABLE).increment(1);
        if let Some(suppressed) = LINES.pass() {
            tracing::warn!(%cause, suppressed, "unavailable");
        }
        Self::out_of_service("this is for a moment; try again")
    }

    /// 503 `unavailable` with Retry-After; logs nothing.
    pub(crate) fn out_of_service(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable")
            .detail(detail)
            .retry_after(2)
    }

    /// 500 `internal-error` without a detail; logs the cause.
    pub fn internal(cause: impl Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", "Internal error")
    }
}

impl From<StoreError> for Problem {
    /// 503 for what may work later, 500 for data that the store rejects.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause)
            | StoreError::Contended(cause)
            | StoreError::Busy(cause) => Self::unavailable(chain(&cause)),
            StoreError::RejectedByStore(cause) => Self::internal(chain(&cause)),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let inner = *self.0;
        let body = Body {
            r#type: format!("/problems/{}", inner.slug),
            title: inner.title,
            status: inner.status.as_u16(),
            detail: inner.detail.as_deref(),
            errors: &inner.fields,
            trace_id: trace::trace_id(&trace::current()),
            members: &inner.members,
        };
        let mut response = (inner.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = inner.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if inner.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Collects errors of fields, so that one response names them all.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// No error yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The parsed value; for an error `None`, and the error is added.
    pub fn check<T, E: Display>(
        &mut self,
        field: impl Into<String>,
        parsed: Result<T, E>,
    ) -> Option<T> {
        parsed.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// Adds an error of `field`.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), message: message.into() });
    }

    /// 422 with these errors.
    pub fn into_problem(self) -> Problem {
        Problem::invalid(self.0)
    }

    /// 422 if there are errors.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into_problem()) }
    }
}
