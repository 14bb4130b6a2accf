//! OTLP export of spans, switched on by the standard `OTEL_*` variables and by nothing else.

use std::{env, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use uuid::Uuid;

use crate::trace;

/// As many messages as a consumer takes at a time: the span of a batch links to each.
const LINKS: u32 = 1_000;
/// How many spans may wait for the exporter: those of several batches end at once.
const QUEUE: usize = 16_384;
/// How long exporting the last spans may take at a stop.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// The exporter of spans, if there is one.
pub(crate) struct Export(Option<SdkTracerProvider>);

impl Export {
    /// Exports nothing.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Exports spans if the environment says so.
    pub(crate) fn start(service: &'static str) -> Self {
        let Some(endpoint) = endpoint() else { return Self::none() };
        if let Err(error) = check(&endpoint) {
            tracing::error!(endpoint, error, "no spans are exported");
            return Self::none();
        }
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = match exporter.build() {
            Ok(exporter) => exporter,
            Err(error) => {
                tracing::error!(%error, "no spans are exported");
                return Self::none();
            }
        };
        let mut queue = BatchConfigBuilder::default();
        if set("OTEL_BSP_MAX_QUEUE_SIZE").is_none() {
            queue = queue.with_max_queue_size(QUEUE);
        }
        let processor =
            BatchSpanProcessor::builder(exporter).with_batch_config(queue.build()).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_max_links_per_span(LINKS)
            .with_resource(resource(service))
            .build();
        trace::export_with(provider.tracer("karcis"));
        tracing::info!(endpoint, "spans are exported");
        Self(Some(provider))
    }

    /// Sends the last spans, within `left` and 2 s.
    pub(crate) async fn finish(self, left: Duration) {
        let Some(provider) = self.0 else { return };
        let last = move || provider.shutdown_with_timeout(left.min(FINISH_TIMEOUT));
        if let Ok(Err(error)) = tokio::task::spawn_blocking(last).await {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// Where to export, if an endpoint is set and export is not switched off.
fn endpoint() -> Option<String> {
    let is = |name, value| set(name).is_some_and(|set| set.eq_ignore_ascii_case(value));
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return None;
    }
    set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"))
}

/// Whether this build can export to the endpoint.
fn check(endpoint: &str) -> Result<(), &'static str> {
    let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or(set("OTEL_EXPORTER_OTLP_PROTOCOL"));
    match protocol.as_deref() {
        None | Some("http/protobuf") if endpoint.starts_with("http://") => Ok(()),
        None | Some("http/protobuf") => Err(
            "OTEL_EXPORTER_OTLP_ENDPOINT must be http://, such as a collector's beside this process",
        ),
        Some(_) => Err("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, mostly at port 4318"),
    }
}

/// The variable's value, unless it is empty.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The attributes that the environment gives this process, and defaults for the others.
fn resource(service: &'static str) -> Resource {
    let given = Resource::builder().build();
    let is_open = |name: &'static str| given.get(&name.into()).is_none();
    let named = set("OTEL_SERVICE_NAME").is_some()
        || set("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|set| set.contains("service.name="));
    let defaults = [
        (!named).then(|| KeyValue::new("service.name", service)),
        is_open("service.version")
            .then(|| KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))),
        is_open("service.instance.id")
            .then(|| KeyValue::new("service.instance.id", Uuid::now_v7().to_string())),
    ];
    Resource::builder().with_attributes(defaults.into_iter().flatten()).build()
}
