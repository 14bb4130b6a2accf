//! What every answer tells browsers and caches to refrain from, and requests without one `Host`.

use axum::{
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, Method, StatusCode, Version,
        header::{
            AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY,
            STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::Problem;

/// No answer of an API is a page: it may load nothing and be shown in no frame.
const API_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Swagger UI loads its own files and `/openapi.json`, styles elements and draws icons from data URLs.
const PAGES_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The header of a file of Swagger UI, in place of the API's.
pub(crate) const FOR_PAGES: (HeaderName, HeaderValue) = (CONTENT_SECURITY_POLICY, PAGES_POLICY);

/// Adds the headers that every answer has. What a token was sent for, and what changes something, such
/// as a log-in, is stored in no cache. `hsts` is the value of `Strict-Transport-Security`.
pub(crate) async fn protect(
    State(hsts): State<Option<HeaderValue>>,
    request: Request,
    next: Next,
) -> Response {
    let is_public_read = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method())
        && !request.headers().contains_key(AUTHORIZATION);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(API_POLICY);
    if !is_public_read {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(hsts) = hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, hsts);
    }
    response
}

/// Refuses a request that does not name exactly one host (RFC 9112, 3.2), as a proxy and we might then
/// see two different ones. HTTP/1.0 knows no `Host`.
pub(crate) async fn require_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(HOST).iter().count();
    match hosts {
        1 => next.run(request).await,
        0 if request.version() < Version::HTTP_11 => next.run(request).await,
        _ => Problem::new(StatusCode::BAD_REQUEST, "invalid-host", "The host is not clear")
            .detail("send one Host header")
            .into_response(),
    }
}
