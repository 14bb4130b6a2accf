//! The endpoints that every service has: index, health, metrics, documents and problem pages.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::Config;

use crate::{About, PathText, Problem, TokenKeys, metrics, readiness::RecentReadiness, security};

/// The pages of `docs/problems/`, by slug.
pub(crate) const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The tag of these operations.
pub(crate) const TAG: &str = "Service";

/// The state of these handlers.
pub(crate) struct SystemState {
    index: Index,
    openapi: Bytes,
    readiness: RecentReadiness,
    keys: TokenKeys,
}

/// A service and its endpoints.
#[derive(Serialize, ToSchema)]
struct Index {
    #[schema(examples("booking-service"))]
    service: &'static str,
    #[schema(examples("takes orders and sees each one through"))]
    about: &'static str,
    endpoints: Vec<Endpoint>,
}

/// A method of a path.
#[derive(Serialize, ToSchema)]
struct Endpoint {
    #[schema(examples("GET"))]
    method: String,
    #[schema(examples("/bookings/{booking_id}"))]
    path: String,
}

/// Which paths a listener serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paths {
    All,
    /// Not what is for operators.
    Public,
    /// The system endpoints that operators use.
    ForOperators,
}

impl Paths {
    fn contain(self, path: &str) -> bool {
        let for_operators = ["/metrics", "/openapi.json", "/docs"].contains(&path);
        match self {
            Self::All => true,
            Self::Public => !for_operators,
            Self::ForOperators => for_operators || ["/", "/healthz", "/readyz"].contains(&path),
        }
    }
}

impl SystemState {
    /// The state for the service that `openapi` describes, where these of its paths are served.
    pub(crate) fn new(
        about: About,
        openapi: &Value,
        served: Paths,
        readiness: RecentReadiness,
        keys: TokenKeys,
    ) -> Self {
        let paths = openapi["paths"].as_object().into_iter().flatten();
        let paths = paths.filter(|(path, _)| served.contain(path));
        let endpoints = paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flat_map(|methods| methods.keys());
            methods.map(|method| Endpoint { method: method.to_uppercase(), path: path.clone() })
        });
        let About { service, about, .. } = about;
        let index = Index { service, about, endpoints: endpoints.collect() };
        Self { index, openapi: openapi.to_string().into(), readiness, keys }
    }
}

/// How a service is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(schema_with = health_statuses)]
    status: &'static str,
}

fn health_statuses() -> utoipa::openapi::Object {
    crate::one_of(["alive", "ready"])
}

/// All of them.
pub(crate) fn routes() -> OpenApiRouter<Arc<SystemState>> {
    index_and_health().merge(problem_pages()).merge(for_operators())
}

/// The index, and whether the service is alive and ready.
pub(crate) fn index_and_health() -> OpenApiRouter<Arc<SystemState>> {
    OpenApiRouter::default().routes(routes!(index)).routes(routes!(alive)).routes(routes!(ready))
}

/// The pages of the problems that answers name.
pub(crate) fn problem_pages() -> OpenApiRouter<Arc<SystemState>> {
    OpenApiRouter::default().routes(routes!(problem_page))
}

/// Metrics and documents.
pub(crate) fn for_operators() -> OpenApiRouter<Arc<SystemState>> {
    OpenApiRouter::default()
        .routes(routes!(metrics_page))
        .routes(routes!(document))
        .routes(routes!(docs))
        .route("/docs/", get(async || asset("")))
        .route("/docs/{*file}", get(async |PathText(file): PathText| asset(&file)))
}

/// What a site has of them, for everybody.
pub(crate) fn of_site(readiness: RecentReadiness) -> Router {
    health(readiness).route("/problems/{slug}", get(problem_page))
}

/// What a site has of them, for operators.
pub(crate) fn of_sites_operators(readiness: RecentReadiness) -> Router {
    health(readiness)
        .route("/metrics", get(metrics_page))
        .fallback(async || Problem::no_such_path())
}

fn health(readiness: RecentReadiness) -> Router {
    let ready = async move || match readiness.ready().await {
        Ok(()) => Ok(axum::Json(Health { status: "ready" })),
        Err(missing) => Err(Problem::out_of_service(missing)),
    };
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

/// The service's endpoints.
#[utoipa::path(get, path = "/", tag = TAG, operation_id = "index",
    responses((status = 200, description = "What there is.", body = Index)))]
async fn index(State(state): State<Arc<SystemState>>) -> Response {
    axum::Json(&state.index).into_response()
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = TAG, operation_id = "isAlive",
    responses((status = 200, description = "It is.", body = Health)))]
async fn alive() -> axum::Json<Health> {
    axum::Json(Health { status: "alive" })
}

/// Whether the service can serve: its database answers and its signing keys are known.
#[utoipa::path(get, path = "/readyz", tag = TAG, operation_id = "isReady",
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "unavailable"),
    ))]
async fn ready(State(state): State<Arc<SystemState>>) -> Result<axum::Json<Health>, Problem> {
    let ready = state.readiness.ready().await;
    let no_keys = (!state.keys.are_known()).then(|| "no signing keys yet".to_owned());
    let missing: Vec<_> = ready.err().into_iter().chain(no_keys).collect();
    if missing.is_empty() {
        Ok(axum::Json(Health { status: "ready" }))
    } else {
        Err(Problem::out_of_service(missing.join("; ")))
    }
}

/// The process's metrics, as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", tag = TAG, operation_id = "metrics",
    responses((status = 200, description = "Prometheus's text format.", body = String,
        example = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/healthz\",http_response_status_code=\"200\"} 1\n")))]
async fn metrics_page() -> Response {
    metrics::page().await.into_response()
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = TAG, operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object,
        example = json!({"openapi": "3.1.0"}))))]
async fn document(State(state): State<Arc<SystemState>>) -> Response {
    ([(CONTENT_TYPE, "application/json")], state.openapi.clone()).into_response()
}

/// What a problem means and what to do about it, by the last part of its `type`.
#[utoipa::path(get, path = "/problems/{slug}", tag = TAG, operation_id = "problem",
    params(("slug" = String, Path, description = "The problem's name.",
        pattern = "^[a-z]+(-[a-z]+)*$", example = "invalid-input")),
    responses(
        (status = 200, description = "The problem's page.", body = String,
            content_type = "text/markdown", example = "# `invalid-input` (422)\n"),
        (status = 404, description = "not-found"),
    ))]
async fn problem_page(PathText(slug): PathText) -> Response {
    match PAGES.iter().find(|(known, _)| *known == slug) {
        Some((_, page)) => {
            ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], *page).into_response()
        }
        None => Problem::no_such_path().into_response(),
    }
}

/// This document as pages to read and to try out, at `/docs/`.
#[utoipa::path(get, path = "/docs", tag = TAG, operation_id = "docs",
    responses((status = 308, description = "Leads to the pages.",
        headers(("Location" = String, description = "Where they are.")))))]
async fn docs() -> Redirect {
    Redirect::permanent("docs/")
}

/// A file of Swagger UI, which this binary contains.
fn asset(file: &str) -> Response {
    // The path is relative, so that it works behind a gateway's prefix. A validator would be a request
    // to another site.
    let config = Config::new(["../openapi.json"]).validator_url("none").try_it_out_enabled(true);
    // A token that the page kept would outlive the log-out.
    match utoipa_swagger_ui::serve(file, Arc::new(config.persist_authorization(false))) {
        Ok(Some(file)) => {
            let zipped = file.gzpipped.then_some([(CONTENT_ENCODING, "gzip")]);
            let kind = [(CONTENT_TYPE, file.content_type)];
            ([security::FOR_PAGES], kind, zipped, file.bytes).into_response()
        }
        Ok(None) => Problem::no_such_path().into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}
