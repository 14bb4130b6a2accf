//! A small service for the tests, with tokens for it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    extract::ConnectInfo,
    http::StatusCode,
    routing::{get, post, put},
};
use clap::Parser;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use karcis_http::{
    AUDIENCE, About, App, Caller, CallerName, Claims, ClientIp, HttpConfig, ISSUER, IdempotencyKey,
    Json, Organiser, PathId, PreferWait, Problem, Query, TOKEN_TYPE, TokenKeys,
};
use karcis_kernel::{Money, Role, UserId};
use karcis_process::{CancellationToken, Readiness};
use reqwest::{Client, RequestBuilder, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::timeout};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Colour {
    Red,
    Green,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thing {
    pub name: String,
    pub capacity: u32,
    pub parts: Option<Vec<Part>>,
    pub price: Option<Money>,
    #[schema(value_type = Option<Colour>)]
    pub colour: Option<karcis_http::Word<Colour>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing)]
    #[expect(dead_code, reason = "requests alone have it")]
    pub starts_at: Option<karcis_http::Time>,
    pub owner: Option<Uuid>,
    pub ratio: Option<f64>,
    pub on: Option<bool>,
    pub extra: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    pub label: String,
    pub quantity: u8,
}

#[derive(Debug, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    q: Option<String>,
    limit: Option<u16>,
    colour: Option<Colour>,
    id: Option<Uuid>,
    event_id: Uuid,
}

pub(crate) struct Ready(pub Result<(), &'static str>);

#[async_trait]
impl Readiness for Ready {
    async fn ready(&self) -> Result<(), String> {
        self.0.map_err(str::to_owned)
    }
}

/// Makes a thing.
#[utoipa::path(post, path = "/things", operation_id = "makeThing", request_body = Thing,
    params(IdempotencyKey), security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 201, description = "The thing.", body = Thing),
        (status = 409, description = "email-taken"),
    ))]
async fn make(_: Organiser, Json(thing): Json<Thing>) -> (StatusCode, Json<Thing>) {
    (StatusCode::CREATED, Json(thing))
}

/// Looks for things.
#[utoipa::path(get, path = "/things", operation_id = "things", params(Search),
    responses((status = 200, description = "What was looked for.", body = Search)))]
async fn look(Query(search): Query<Search>) -> Json<Search> {
    Json(search)
}

pub(crate) fn routes() -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(make, look))
        .route("/things/update", put(async || "updated").patch(async || "updated"))
        .route("/things/{id}", get(async |PathId(id): PathId, _: Caller| id.to_string()))
        .route("/any", post(async |Json(body): Json<Value>| Json(body)))
        .route("/me", get(async |caller: Caller| caller.user_id.to_string()))
        .route("/name", get(async |CallerName(name): CallerName| Json(name)))
        .route(
            "/public",
            get(async |caller: Option<Caller>| {
                caller.map_or("nobody".to_owned(), |caller| caller.user_id.to_string())
            }),
        )
        .route("/keyed", post(async |key: IdempotencyKey| Json(key.0)))
        .route("/wait", get(async |PreferWait(wait): PreferWait| Json(wait.map(|w| w.as_secs()))))
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/client", get(async |client: ClientIp| client.to_string()))
        .route("/panic", get(async || -> &'static str { panic!("a secret cause") }))
        .route("/broken", get(async || Problem::internal("a secret cause")))
        .route("/away", get(async || Problem::unavailable("a secret cause")))
        .route("/busy", get(async || Problem::too_many_requests(30)))
}

pub(crate) fn thing_service(routes: impl Into<OpenApiRouter>, keys: TokenKeys) -> App {
    App {
        about: About { service: "thing-service", about: "keeps things", port: 8080 },
        routes: routes.into(),
        keys,
        readiness: Arc::new(Ready(Ok(()))),
    }
}

/// Less than the 8 s after which a stop cuts open connections.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(7);

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    http: HttpConfig,
}

/// An app that is served until this is dropped.
pub(crate) struct TestApp {
    pub address: SocketAddr,
    pub client: Client,
    pub stopping: CancellationToken,
    pub served: JoinHandle<std::io::Result<()>>,
}

impl TestApp {
    pub(crate) async fn open() -> Self {
        Self::of(thing_service(routes(), TokenKeys::own(&Signer::new("k1", 1).keys()))).await
    }

    pub(crate) async fn of(app: App) -> Self {
        Self::with_flags(app, &[]).await
    }

    pub(crate) async fn with_origins(app: App, origins: &[&str]) -> Self {
        Self::with_flags(app, &["--web-origins", &origins.join(",")]).await
    }

    /// An app with these of the flags that every service takes.
    pub(crate) async fn with_flags(app: App, flags: &[&str]) -> Self {
        let flags = ["thing-service"].iter().chain(flags);
        let Flags { http: config } = Flags::try_parse_from(flags).expect("the flags are right");
        let listener = karcis_http::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        let served = tokio::spawn(karcis_http::serve(listener, app, config, stopping.clone()));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { address, client, stopping, served }
    }

    /// Stops it. The limit is checked in a task that starts after the app's: on a machine that stands
    /// still both wake late, and the app still runs first.
    pub(crate) async fn stops_within(mut self, limit: Duration) {
        self.stopping.cancel();
        let served = tokio::spawn(async move { timeout(limit, &mut self.served).await });
        served.await.unwrap().expect("it stops in time").unwrap().unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// Signs tokens with a key made from one byte.
pub(crate) struct Signer {
    key: EncodingKey,
    id: &'static str,
    public: Jwk,
}

impl Signer {
    pub(crate) fn new(id: &'static str, seed: u8) -> Self {
        // PKCS #8 of an Ed25519 key: a fixed head and the seed.
        let mut der = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        der.extend([seed; 32]);
        let key = EncodingKey::from_ed_der(&der);
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
        public.common.key_id = Some(id.to_owned());
        Self { key, id, public }
    }

    pub(crate) fn public(&self) -> Jwk {
        self.public.clone()
    }

    pub(crate) fn keys(&self) -> JwkSet {
        JwkSet { keys: vec![self.public()] }
    }

    pub(crate) fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.id.to_owned());
        header
    }

    pub(crate) fn sign(&self, header: &Header, claims: &impl Serialize) -> String {
        encode(header, claims, &self.key).unwrap()
    }

    pub(crate) fn token(&self, claims: &impl Serialize) -> String {
        self.sign(&self.header(), claims)
    }
}

pub(crate) fn claims(role: Role) -> Claims {
    let now = karcis_process::now().timestamp();
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: UserId(Uuid::now_v7()),
        role,
        iat: now,
        exp: now + 900,
        sid: None,
        email_verified: false,
        name: None,
    }
}

/// A token of [`TestApp::open`]'s issuer.
pub(crate) fn token(role: Role) -> String {
    Signer::new("k1", 1).token(&claims(role))
}

/// A response that is checked to be a problem.
#[derive(Debug)]
pub(crate) struct ProblemResponse {
    pub status: u16,
    pub slug: String,
    pub detail: String,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl ProblemResponse {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::parse(request.send().await.expect("an answer")).await
    }

    pub(crate) async fn parse(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a whole answer");
        assert_eq!(headers["content-type"], "application/problem+json", "{status} {text}");
        let body: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(body["status"], json!(status));
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{text}");
        let trace = body["trace_id"].as_str().expect("a trace id");
        assert!(headers["traceparent"].to_str().unwrap().contains(trace), "{headers:?} {text}");
        let kind = body["type"].as_str().expect("a type");
        let slug = kind.strip_prefix("/problems/").expect("a path").to_owned();
        let detail = body["detail"].as_str().unwrap_or_default().to_owned();
        Self { status, slug, detail, body, headers }
    }

    pub(crate) fn is(&self, status: u16, slug: &str) -> &Self {
        assert_eq!((self.status, self.slug.as_str()), (status, slug), "{}", self.body);
        self
    }

    /// The field and the message of the only error.
    pub(crate) fn field(&self) -> (&str, &str) {
        let errors = self.body["errors"].as_array().expect("errors");
        assert_eq!(errors.len(), 1, "{}", self.body);
        (errors[0]["field"].as_str().unwrap(), errors[0]["message"].as_str().unwrap())
    }
}
