//! Request metrics, and the process's metrics as Prometheus reads them.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request},
    http::header::CONTENT_TYPE,
    middleware::Next,
    response::IntoResponse,
};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::trace::{method, record_response};

/// How often [`upkeep`] is due.
pub(crate) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Requests that were answered with 503 as something did not answer. Their log lines are sampled.
pub(crate) const UNAVAILABLE: &str = "karcis_unavailable_total";

/// Named by OpenTelemetry's conventions, so that ready-made dashboards find it.
const REQUESTS: &str = "http_server_request_duration_seconds";

const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const SIZES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

/// The process's one recorder, which all services of a test process share.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder if there is none. Metrics that were recorded before are lost.
pub(crate) fn install() -> &'static PrometheusHandle {
    RECORDER.get_or_init(|| {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let sizes = Matcher::Suffix("_size".to_owned());
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(seconds, SECONDS);
        let builder = builder.and_then(|it| it.set_buckets_for_metric(sizes, SIZES));
        // The builder refuses empty lists of buckets only.
        let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        if let Err(error) = metrics::set_global_recorder(recorder) {
            tracing::warn!(%error, "/metrics will stay empty");
        }
        describe_histogram!(REQUESTS, Unit::Seconds, "Time until the response to a request began.");
        describe_counter!(UNAVAILABLE, "Requests refused as something they need does not answer.");
        counter!(UNAVAILABLE).increment(0);
        describe_gauge!("karcis_build_info", "Always 1, with what is running.");
        gauge!("karcis_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        Collector::default().describe();
        handle
    })
}

/// Lets the recorder merge its samples. Without this its memory grows.
pub(crate) fn upkeep() {
    install().run_upkeep();
}

/// The response to `GET /metrics`.
pub(crate) async fn page() -> impl IntoResponse {
    Collector::default().collect();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], install().render())
}

/// Records a request's duration under the route that it matched.
pub(crate) async fn measure(request: Request, next: Next) -> impl IntoResponse {
    let began = Instant::now();
    let method = method(request.method());
    // The route and not the path: routes are few, and some paths contain secrets.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let response = next.run(request).await;
    let status = response.status();
    let took = began.elapsed();
    tracing::debug!(method, route, status = status.as_u16(), ?took, "answered");
    record_response(method, route, status.as_u16());
    let labels = [
        ("http_request_method", method.to_owned()),
        ("http_route", route.unwrap_or("unmatched").to_owned()),
        ("http_response_status_code", status.as_str().to_owned()),
    ];
    histogram!(REQUESTS, &labels).record(took);
    response
}
