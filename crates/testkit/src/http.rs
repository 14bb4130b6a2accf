//! A person who calls one service over HTTP, and what it answers.

use std::{
    error::Error,
    io::{self, ErrorKind},
    iter::successors,
};

use karcis_kernel::{Role, UserId};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use uuid::Uuid;

use crate::token;

/// Who calls a service; without a token they are not logged in.
#[derive(Clone, Debug)]
pub struct Person {
    pub user_id: UserId,
    pub token: Option<String>,
    http: Client,
    url: String,
}

impl Person {
    /// A new user with this role, who calls the service at this URL.
    pub fn new(url: &str, role: Role) -> Self {
        let user_id = UserId(Uuid::now_v7());
        let token = Some(token(user_id, role));
        Self { user_id, token, http: Client::new(), url: url.to_owned() }
    }

    /// A visitor who is not logged in.
    pub fn visitor(url: &str) -> Self {
        let user_id = UserId(Uuid::nil());
        Self { user_id, token: None, http: Client::new(), url: url.to_owned() }
    }

    /// The same person, who calls the service at this URL.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// A request with their token, to be sent with [`Answer::to`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// A GET with their token.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// A POST of a JSON body with their token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body)).await
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct NoAnswer(reqwest::Error);

impl NoAnswer {
    /// Whether no service listened, or the connection ended before an answer began: a client meets
    /// this when an instance stops, and may try another.
    pub fn is_reset(&self) -> bool {
        let mut causes = successors(self.0.source(), |&error| error.source());
        self.0.is_connect()
            || causes.any(|cause| {
                let kind = cause.downcast_ref().map(io::Error::kind);
                matches!(kind, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe))
                    // hyper's own error for it, whose type is private.
                    || cause.to_string() == "connection closed before message completed"
            })
    }
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body; null if it is empty, a string if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Sends the request; panics if there is no answer.
    pub async fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).await.expect("the service answers")
    }

    /// Sends the request; the error says why there is no answer.
    pub async fn try_to(request: RequestBuilder) -> Result<Self, NoAnswer> {
        let response = request.send().await.map_err(NoAnswer)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.map_err(NoAnswer)?;
        let body = match bytes.as_ref() {
            [] => Value::Null,
            json => serde_json::from_slice(json)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(json).into_owned())),
        };
        Ok(Self { status, headers, body })
    }

    /// Asserts the status code.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self
    }

    /// Asserts that it is this problem: the slug, the status, and what every problem has.
    #[track_caller]
    pub fn is_problem(self, status: u16, slug: &str) -> Self {
        let answer = self.is(status);
        let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"));
        assert_eq!(answer.body["type"], format!("/problems/{slug}"), "{:#}", answer.body);
        assert_eq!(answer.body["status"], status);
        assert!(answer.body["title"].is_string() && answer.body["trace_id"].is_string());
        answer
    }

    /// Asserts that 422 names this field.
    #[track_caller]
    pub fn is_about(self, field: &str) -> Self {
        let answer = self.is_problem(422, "invalid-input");
        let fields = answer.body["errors"].as_array().expect("422 has errors");
        assert!(fields.iter().any(|error| error["field"] == field), "{:#}", answer.body);
        answer
    }
}
