//! A service's routes with what every service adds: problems, traces, metrics, health and CORS.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION,
            RETRY_AFTER, WWW_AUTHENTICATE,
        },
    },
    middleware::{from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
};
use karcis_process::Readiness;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    About, HttpConfig, Problem, REPLAYED, ServingConfig, TokenKeys,
    admit::admit,
    limits::Limits,
    metrics, openapi,
    readiness::RecentReadiness,
    refusals,
    security::{protect, require_host},
    system_endpoints::{self, Paths, SystemState},
    trace::{TRACEPARENT, in_trace},
};

/// A service's HTTP side.
pub struct App {
    pub about: About,
    /// The service's own routes, with their state.
    pub routes: OpenApiRouter,
    /// The keys that check the tokens of [`crate::Caller`].
    pub keys: TokenKeys,
    pub readiness: Arc<dyn Readiness>,
}

/// What is served before the services: pages, and calls that are passed on.
pub struct Site {
    /// Its routes, with a fallback of their own.
    pub routes: Router,
    pub readiness: Arc<dyn Readiness>,
}

/// What a program's listeners serve.
pub(crate) struct Routers {
    /// The app's routes and the system endpoints (`/`, `/healthz`, …).
    pub public: Router,
    /// What is for operators, if that has a listener of its own. It is then no longer public.
    pub admin: Option<Router>,
    /// What answers on each listener in hyper's place.
    pub refusals: Router,
}

/// The routes of `app` and the system endpoints as these settings spread them over listeners.
pub(crate) fn routers(app: App, config: &HttpConfig) -> Routers {
    let App { about, routes, keys, readiness } = app;
    metrics::install();
    let (routes, declared) = routes.split_for_parts();
    let document = openapi(about, declared);
    let readiness = RecentReadiness::new(readiness);
    let system = |parts: OpenApiRouter<Arc<SystemState>>, paths: Paths| {
        let (readiness, keys) = (readiness.clone(), keys.clone());
        let state = SystemState::new(about, &document, paths, readiness, keys);
        Router::from(parts.with_state(Arc::new(state)))
    };
    let common = system_endpoints::index_and_health;
    let (public, admin) = if config.serving.admin_listen.is_some() {
        let public = common().merge(system_endpoints::problem_pages());
        let admin = system(common().merge(system_endpoints::for_operators()), Paths::ForOperators);
        (system(public, Paths::Public), Some(admin))
    } else {
        (system(system_endpoints::routes(), Paths::All), None)
    };
    let public = with_problems(routes.merge(public), keys.clone(), config);
    let public = match cors(&config.web_origins) {
        Some(cors) => public.layer(cors),
        None => public,
    };
    let serving = &config.serving;
    Routers {
        public: guarded(public, serving),
        admin: admin.map(|admin| guarded(with_problems(admin, keys, config), serving)),
        refusals: framed(refusals::routes(), serving),
    }
}

/// The routes of `site` with its health and the problems' pages. Its metrics have a listener of their
/// own or none: everybody reaches a site.
pub(crate) fn site_routers(site: Site, serving: &ServingConfig) -> Routers {
    metrics::install();
    let readiness = RecentReadiness::new(site.readiness);
    let public = site.routes.merge(system_endpoints::of_site(readiness.clone()));
    let admin = serving.admin_listen.map(|_| {
        let admin = system_endpoints::of_sites_operators(readiness);
        guarded(measured(answering(admin), serving), serving)
    });
    Routers {
        public: guarded(measured(answering(public), serving), serving),
        admin,
        refusals: framed(refusals::routes(), serving),
    }
}

/// These routes with metrics and limits, and with problems for what they do not answer.
fn with_problems(routes: Router, keys: TokenKeys, config: &HttpConfig) -> Router {
    let routes = answering(routes.fallback(async || Problem::no_such_path()));
    let limits = Limits::new(&config.limits);
    measured(routes.layer(from_fn_with_state((keys, limits), admit)), &config.serving)
}

/// These routes with problems for wrong methods and for panics.
fn answering(routes: Router) -> Router {
    routes
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(CatchPanicLayer::custom(panicked))
}

/// These routes with metrics, the addresses of clients and a limit of bodies.
fn measured(routes: Router, serving: &ServingConfig) -> Router {
    let inner = routes
        .layer(from_fn(metrics::measure))
        .layer(Extension(serving.trusted_proxies.clone()))
        .layer(DefaultBodyLimit::max(64 * 1024));
    // The router adds Allow outside its layers, so the layer that reads it wraps the router.
    Router::new().fallback_service(inner).layer(map_response(name_allowed_methods))
}

/// These routes for requests that name one host.
fn guarded(routes: Router, serving: &ServingConfig) -> Router {
    framed(routes.layer(from_fn(require_host)), serving)
}

/// These routes with a trace for each request, and with the headers that every answer has.
fn framed(routes: Router, serving: &ServingConfig) -> Router {
    routes
        .layer(from_fn_with_state(serving.trusted_trace_peers.clone(), in_trace))
        .layer(from_fn_with_state(serving.hsts.clone(), protect))
}

/// Makes the router's bare 405 a problem that names the allowed methods.
async fn name_allowed_methods(response: Response) -> Response {
    let allow = response.headers().get(ALLOW).cloned();
    let (StatusCode::METHOD_NOT_ALLOWED, Some(allow)) = (response.status(), allow) else {
        return response;
    };
    let allowed = allow.to_str().unwrap_or_default();
    // HEAD is allowed wherever GET is, so it is not named.
    let methods: Vec<_> = allowed.split(',').filter(|method| *method != "HEAD").collect();
    let mut problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This method is not for this path",
    )
    .detail(format!("use {}", methods.join(" or ")))
    .into_response();
    problem.headers_mut().insert(ALLOW, allow);
    problem
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or(panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format_args!("panicked: {}", message.unwrap_or("no message"))).into_response()
}

fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins = origins.iter().map(|origin| origin.trim().trim_end_matches('/'));
    let origins: Vec<_> = origins.filter(|origin| !origin.is_empty()).collect();
    let allowed = if origins.contains(&"*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let own = HeaderName::from_static;
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                ACCEPT,
                AUTHORIZATION,
                CONTENT_TYPE,
                IF_MATCH,
                IF_NONE_MATCH,
                own("idempotency-key"),
                own("prefer"),
                own("last-event-id"),
                own(TRACEPARENT),
                // Browsers' tracers send these with it.
                own("tracestate"),
                own("baggage"),
            ])
            .expose_headers([
                ETAG,
                LOCATION,
                RETRY_AFTER,
                WWW_AUTHENTICATE,
                own(REPLAYED),
                own(TRACEPARENT),
            ])
            .max_age(Duration::from_secs(3600))
    })
}
