//! Calls of the services, over http or https.

use std::{collections::BTreeMap, fmt::Display, path::PathBuf, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use karcis_process::chain;
use karcis_schemas::{Service, USER};
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::timeout};

use super::login::{Login, Who};

/// As long as an answer to a question and to an act may take (settling asks the provider), and as large as one may
/// be.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
const ACT_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 1024 * 1024;

/// Why nothing was shown or done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpsError {
    #[error(
        "nobody to call as: give KARCIS_TOKEN, or KARCIS_OPS_EMAIL and KARCIS_OPS_PASSWORD, of an \
         operator or admin"
    )]
    Nobody,
    #[error("{} cannot be used: {why}", path.display())]
    StateFile { path: PathBuf, why: String },
    #[error("{service} does not answer at {url}: {why}")]
    NoAnswer { service: &'static str, url: String, why: String },
    #[error("{service} refuses: {what}")]
    Refused { service: &'static str, status: StatusCode, what: String },
    #[error("{0}")]
    Failed(String),
}

/// Those of several calls that failed.
#[derive(Default)]
pub(super) struct Failures {
    all: usize,
    failed: usize,
    /// Each once.
    errors: Vec<String>,
}

impl Failures {
    /// What came of a call, unless it failed.
    pub(super) fn note<T>(&mut self, call: Result<T, impl Display>) -> Option<T> {
        self.all += 1;
        let error = match call {
            Ok(came) => return Some(came),
            Err(error) => error.to_string(),
        };
        self.failed += 1;
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
        None
    }

    /// The same, whose failure is told to those who read what is shown, too.
    pub(super) fn told(&mut self, call: Result<Value, OpsError>) -> Value {
        let error = call.as_ref().err().map(|error| json!({"error": error.to_string()}));
        self.note(call).or(error).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.failed == 0
    }

    /// Every failure, each in a line.
    pub(super) fn into_result(self) -> Result<(), OpsError> {
        let Self { all, failed, errors } = self;
        let lines = errors.join("\n");
        match failed {
            0 => Ok(()),
            1 if all == 1 => Err(OpsError::Failed(lines)),
            _ => Err(OpsError::Failed(format!("{failed} of {all} calls failed:\n{lines}"))),
        }
    }
}

/// The services, called as one person.
pub(super) struct Client {
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    urls: BTreeMap<&'static str, String>,
    session: Mutex<Session>,
}

/// The token to call with, and what it is exchanged for another with once it has expired.
#[derive(Clone, Default)]
struct Session {
    access_token: String,
    refresh_token: Option<String>,
}

impl Session {
    fn of(body: &Value) -> Self {
        let token = |name: &str| body[name].as_str().map(str::to_owned);
        let access_token = token("access_token").unwrap_or_default();
        Self { access_token, refresh_token: token("refresh_token") }
    }
}

impl Client {
    /// Logs in if a password was given.
    pub(super) async fn log_in(login: Login) -> Result<Self, OpsError> {
        let (urls, who) = login.read()?;
        let machines = if urls.values().any(|url| url.starts_with("https:")) {
            HttpsConnectorBuilder::new().with_native_roots().ok()
        } else {
            None
        };
        let tls = machines.unwrap_or_else(|| HttpsConnectorBuilder::new().with_webpki_roots());
        let connector = tls.https_or_http().enable_http1().build();
        let http = HttpClient::builder(TokioExecutor::new()).build(connector);
        let mut client = Self { http, urls, session: Mutex::default() };
        *client.session.get_mut() = match who {
            Who::Token(access_token) => Session { access_token, refresh_token: None },
            Who::Password { email, password } => {
                let body = json!({"email": email, "password": password});
                client.open_session("/login", &body).await?
            }
        };
        Ok(client)
    }

    async fn open_session(&self, path: &str, body: &Value) -> Result<Session, OpsError> {
        let session = self.send(&USER, path, Some(body), "access_token", "").await?;
        Ok(Session::of(&session))
    }

    /// The token that it calls with.
    pub(super) async fn token(&self) -> String {
        self.session.lock().await.access_token.clone()
    }

    /// What GET answers, which has this field.
    pub(super) async fn get(
        &self,
        service: &Service,
        path: &str,
        field: &str,
    ) -> Result<Value, OpsError> {
        self.call(service, path, None, field).await
    }

    /// What POST answers, which has this field.
    pub(super) async fn post(
        &self,
        service: &Service,
        path: &str,
        body: &Value,
        field: &str,
    ) -> Result<Value, OpsError> {
        self.call(service, path, Some(body), field).await
    }

    /// What GET answers, or null if there is no such thing.
    pub(super) async fn find(
        &self,
        service: &Service,
        path: &str,
        field: &str,
    ) -> Result<Value, OpsError> {
        match self.get(service, path, field).await {
            Err(OpsError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(Value::Null),
            found => found,
        }
    }

    /// Up to so many items of a list, page by page; `query` as in `stuck=true&stage=awaiting`. Says so if
    /// there are more.
    pub(super) async fn list(
        &self,
        service: &Service,
        path: &str,
        query: &str,
        limit: usize,
    ) -> Result<Vec<Value>, OpsError> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = (limit - items.len()).min(100);
            let path = format!("{path}?limit={page}{cursor}&{query}");
            let page = self.get(service, path.trim_end_matches('&'), "items").await?;
            items.extend(page["items"].as_array().into_iter().flatten().cloned());
            let Some(next) = page["next_cursor"].as_str() else { break };
            if items.len() >= limit {
                eprintln!("{} has more than these {limit}", service.full_name());
                break;
            }
            cursor = format!("&cursor={next}");
        }
        Ok(items)
    }

    /// Calls with another token, if this one has expired and there is a session: much takes longer than a
    /// quarter of an hour.
    async fn call(
        &self,
        service: &Service,
        path: &str,
        body: Option<&Value>,
        field: &str,
    ) -> Result<Value, OpsError> {
        let used = self.token().await;
        match self.send(service, path, body, field, &used).await {
            Err(refused @ OpsError::Refused { status: StatusCode::UNAUTHORIZED, .. }) => {
                let mut session = self.session.lock().await;
                if session.access_token == used {
                    let Some(refresh_token) = &session.refresh_token else { return Err(refused) };
                    let body = json!({"refresh_token": refresh_token});
                    *session = self.open_session("/token/refresh", &body).await?;
                }
                let token = session.access_token.clone();
                drop(session);
                self.send(service, path, body, field, &token).await
            }
            answer => answer,
        }
    }

    /// What the service answers to a GET, or to a POST if there is a body. Whatever answers without this
    /// field or as no service of ours does is another program, such as a proxy.
    async fn send(
        &self,
        service: &Service,
        path: &str,
        body: Option<&Value>,
        field: &str,
        token: &str,
    ) -> Result<Value, OpsError> {
        let name = service.full_name();
        let url = self.urls.get(service.name).cloned().unwrap_or_default();
        let failed = |why: String| OpsError::NoAnswer { service: name, url: url.clone(), why };
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder().method(method).uri(format!("{url}{path}"));
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::from(bytes)).map_err(|error| failed(error.to_string()))?;
        let answer = async {
            let answer = self.http.request(request).await.map_err(|error| chain(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
            Ok::<_, String>((status, body.map_err(|error| chain(&*error))?.to_bytes()))
        };
        let limit = if body.is_some() { ACT_TIMEOUT } else { READ_TIMEOUT };
        let late = || failed(format!("no answer within {} s", limit.as_secs()));
        let answer = timeout(limit, answer).await.map_err(|_| late())?;
        let (status, bytes) = answer.map_err(&failed)?;
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let has = |field: &str| body.get(field).is_some();
        match status.is_success() {
            true if has(field) => Ok(body),
            false if has("title") => {
                Err(OpsError::Refused { service: name, status, what: complaint(status, &body) })
            }
            _ => {
                let status = status.as_u16();
                Err(failed(format!(
                    "it answers {status} as another program would, such as a proxy"
                )))
            }
        }
    }
}

/// What a problem says, in a line.
fn complaint(status: StatusCode, problem: &Value) -> String {
    let text = |name: &str| problem[name].as_str().unwrap_or_default();
    let title =
        if text("title").is_empty() { status.to_string() } else { text("title").to_owned() };
    let mut said = vec![title];
    let errors: Vec<String> = problem["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| {
            Some(format!("{}: {}", error["field"].as_str()?, error["message"].as_str()?))
        })
        .collect();
    match errors.is_empty() {
        true if text("detail").is_empty() => {}
        true => said.push(text("detail").to_owned()),
        false => said.push(errors.join("; ")),
    }
    let trace = text("trace_id");
    let trace = if trace.is_empty() { String::new() } else { format!(" (trace {trace})") };
    said.join(": ") + &trace
}
