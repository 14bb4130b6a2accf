//! A request's span, by OpenTelemetry's conventions for HTTP servers.
//! Source: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use karcis_process::trace::{
    self,
    otel::{
        KeyValue,
        trace::{SpanBuilder, SpanKind, Status, TraceContextExt},
    },
};

use crate::Networks;

pub(crate) const TRACEPARENT: &str = "traceparent";

/// Runs the request as part of its caller's trace if the caller is one of `trusted`, else of a new one
/// that is linked to it: strangers cannot choose ids under which others look for their own requests,
/// nor what is sampled.
pub(crate) async fn in_trace(
    State(trusted): State<Networks>,
    request: Request,
    next: Next,
) -> Response {
    let caller = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let is_trusted = trusted.contain_peer(request.extensions());
    let context = trace::of_request(caller, is_trusted, || {
        let method = method(request.method());
        SpanBuilder::from_name(method).with_kind(SpanKind::Server).with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", "http"),
        ])
    });
    let mut response = trace::scope(context.clone(), next.run(request)).await;
    // Work that goes on after the response keeps the context, but is not the request's time.
    context.span().end();
    if let Some(value) = trace::header(&context).and_then(|it| HeaderValue::from_str(&it).ok()) {
        response.headers_mut().insert(TRACEPARENT, value);
    }
    response
}

/// Records the route and status of the running request on its span. There is no `url.path`: it may
/// contain a secret, such as a ticket's code.
pub(crate) fn record_response(method: &'static str, route: Option<&str>, status: u16) {
    if !trace::is_exported() {
        return;
    }
    let context = trace::current();
    let span = context.span();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    if let Some(route) = route {
        span.update_name(format!("{method} {route}"));
        span.set_attribute(KeyValue::new("http.route", route.to_owned()));
    }
    if status >= 500 {
        span.set_attribute(KeyValue::new("error.type", status.to_string()));
        span.set_status(Status::error(""));
    }
}

/// The method's name. Unknown methods share one, as a client may invent any number of them.
pub(crate) fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
