//! A service's routes with what every service adds: problems, traces, metrics, health and CORS.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
        },
    },
    middleware::{from_fn, map_response},
    response::{IntoResponse, Response},
};
use karcis_process::Readiness;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    About, HttpConfig, Problem, REPLAYED, TokenKeys, metrics, openapi,
    system_endpoints::{self, SystemState},
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

/// The routes of `app` and the system endpoints (`/`, `/healthz`, `/docs`, …), as [`crate::serve`]
/// serves them.
pub fn router(app: App, config: &HttpConfig) -> Router {
    let App { about, routes, keys, readiness } = app;
    metrics::install();
    let (routes, declared) = routes.split_for_parts();
    let document = openapi(about, declared);
    let system = Arc::new(SystemState::new(about, &document, readiness, keys.clone()));
    let inner = routes
        .merge(Router::from(system_endpoints::routes().with_state(system)))
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(metrics::measure))
        .layer(Extension(keys))
        .layer(Extension(config.trusted_proxies.clone()))
        .layer(DefaultBodyLimit::max(64 * 1024));
    // The router adds Allow outside its layers, so the layer that reads it wraps the router.
    let outer = Router::new().fallback_service(inner).layer(map_response(name_allowed_methods));
    match cors(&config.web_origins) {
        Some(cors) => outer.layer(cors).layer(from_fn(in_trace)),
        None => outer.layer(from_fn(in_trace)),
    }
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
                own("idempotency-key"),
                own("prefer"),
                own("last-event-id"),
                own(TRACEPARENT),
                // Browsers' tracers send these with it.
                own("tracestate"),
                own("baggage"),
            ])
            .expose_headers([
                LOCATION,
                RETRY_AFTER,
                WWW_AUTHENTICATE,
                own(REPLAYED),
                own(TRACEPARENT),
            ])
            .max_age(Duration::from_secs(3600))
    })
}
