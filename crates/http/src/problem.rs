//! Errors as RFC 9457 problem details.

use std::{borrow::Cow, fmt::Display};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// One problem+json answer. `trace_id` is added from the running task's trace.
#[derive(Debug)]
pub struct Problem {
    // boxed, so that `Result<_, Problem>` stays small
}

/// What is wrong with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its path, such as `ticket_types[0].price.amount`.
    pub field: String,
    /// A lower-case fragment that says what to do.
    pub message: String,
}

impl Problem {
    /// A problem of type `/problems/<slug>`.
    pub fn new(_status: StatusCode, _slug: &'static str, _title: &'static str) -> Self {
        todo!()
    }

    /// What happened this time and what to do about it.
    pub fn detail(self, _detail: impl Into<Cow<'static, str>>) -> Self {
        todo!()
    }

    /// A member of its own, such as `decline_code`.
    pub fn with(self, _member: &'static str, _value: impl Serialize) -> Self {
        todo!()
    }

    /// When to come again.
    pub fn retry_after(self, _seconds: u32) -> Self {
        todo!()
    }

    /// 404 `not-found`: there is no such thing, or it is somebody else's.
    pub fn not_found() -> Self {
        todo!()
    }

    /// 403 `wrong-role`.
    pub fn wrong_role() -> Self {
        todo!()
    }

    /// 422 `invalid-input` with its fields.
    pub fn invalid(_fields: Vec<Field>) -> Self {
        todo!()
    }

    /// 503 `unavailable` with Retry-After; logs the cause.
    pub fn unavailable(_cause: impl Display) -> Self {
        todo!()
    }

    /// 500 `internal-error` without a detail; logs the cause.
    pub fn internal(_cause: impl Display) -> Self {
        todo!()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        todo!()
    }
}

/// Collects what is wrong, so that one answer names every field.
#[derive(Debug, Default)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value, or `None` with the error noted under `field`.
    pub fn check<T, E: Display>(
        &mut self,
        field: impl Into<String>,
        parsed: Result<T, E>,
    ) -> Option<T> {
        parsed.map_err(|error| self.wrong(field, error.to_string())).ok()
    }

    /// Notes an error under `field`.
    pub fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Field { field: field.into(), message: message.into() });
    }

    /// 422 if anything was wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}
