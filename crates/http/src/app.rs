//! A service's routes inside the house: errors, trace, metrics, health and CORS.

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
    About, HttpConfig, Problem, REPLAYED, TokenKeys,
    house::{self, House},
    metrics, openapi,
    trace::{TRACEPARENT, in_trace},
};

/// What a service gives to the house.
pub struct App {
    /// What it is.
    pub about: About,
    /// Its routes, with their state.
    pub routes: OpenApiRouter,
    /// The keys of [`crate::Caller`].
    pub keys: TokenKeys,
    /// For `/readyz`.
    pub readiness: Arc<dyn Readiness>,
}

/// `app` with what every service has (`/`, `/healthz`, `/docs`, …) beside its routes, as
/// [`crate::serve`] serves it.
pub fn router(app: App, config: &HttpConfig) -> Router {
    let App { about, routes, keys, readiness } = app;
    metrics::install();
    let (routes, said) = routes.split_for_parts();
    let house = Arc::new(House::new(about, &openapi(about, said), readiness, keys.clone()));
    let inside = routes
        .merge(Router::from(house::routes().with_state(house)))
        .fallback(async || Problem::not_here())
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(metrics::measure))
        .layer(Extension(keys))
        .layer(DefaultBodyLimit::max(64 * 1024));
    // The router adds Allow outside of its layers, so what needs it is one house further out.
    let outside = Router::new().fallback_service(inside).layer(map_response(name_the_verbs));
    match cors(&config.web_origins) {
        Some(cors) => outside.layer(cors).layer(from_fn(in_trace)),
        None => outside.layer(from_fn(in_trace)),
    }
}

/// Makes the router's bare 405 a problem that says which methods there are.
async fn name_the_verbs(response: Response) -> Response {
    let allow = response.headers().get(ALLOW).cloned();
    let (StatusCode::METHOD_NOT_ALLOWED, Some(allow)) = (response.status(), allow) else {
        return response;
    };
    let allowed = allow.to_str().unwrap_or_default();
    // HEAD is there wherever GET is; nobody needs to be told.
    let verbs: Vec<_> = allowed.split(',').filter(|verb| *verb != "HEAD").collect();
    let mut problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This method is not for this path",
    )
    .detail(format!("use {}", verbs.join(" or ")))
    .into_response();
    problem.headers_mut().insert(ALLOW, allow);
    problem
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or(panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format_args!("panicked: {}", said.unwrap_or("without words"))).into_response()
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
                // Sent along with it by browsers' tracers.
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
