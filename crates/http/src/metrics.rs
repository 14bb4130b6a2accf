//! Request metrics, and the process's metrics as Prometheus reads them.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, header::CONTENT_TYPE},
    middleware::Next,
    response::IntoResponse,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// How often [`upkeep`] is due.
pub(crate) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

const BUCKETS_S: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The process's one recorder; services in one test process share it.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder unless it is; what was counted before is lost.
pub(crate) fn install() -> &'static PrometheusHandle {
    RECORDER.get_or_init(|| {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets_for_metric(seconds, BUCKETS_S) {
            Ok(builder) => builder.build_recorder(),
            // Only an empty list is refused.
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let handle = recorder.handle();
        if let Err(error) = metrics::set_global_recorder(recorder) {
            tracing::warn!(%error, "/metrics will stay empty");
        }
        metrics::describe_counter!("http_requests_total", "Requests answered.");
        metrics::describe_histogram!(
            "http_request_duration_seconds",
            "Time until an answer began."
        );
        handle
    })
}

/// Lets the recorder tidy up, without which it grows.
pub(crate) fn upkeep() {
    install().run_upkeep();
}

/// `GET /metrics`.
pub(crate) async fn show() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], install().render())
}

/// Counts and times a request under the route it matched.
pub(crate) async fn measure(
    service: &'static str,
    request: Request,
    next: Next,
) -> impl IntoResponse {
    let began = Instant::now();
    let method = known(request.method());
    // The route, not the path: it is bounded, and some paths are secrets.
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = match response.status().as_u16() {
        ..400 => "ok",
        400..500 => "client_error",
        _ => "server_error",
    };
    let took = began.elapsed();
    tracing::debug!(method, path, status = response.status().as_u16(), ?took, "answered");
    let labels = [
        ("service", service.into()),
        ("method", method.into()),
        ("path", path.into()),
        ("status", status.into()),
    ]
    .map(|(key, value): (&str, metrics::SharedString)| metrics::Label::new(key, value));
    metrics::counter!("http_requests_total", labels.iter()).increment(1);
    metrics::histogram!("http_request_duration_seconds", labels.iter()).record(took);
    response
}

/// The method's name; anyone may make up others.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
