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

/// As many as a consumer takes at a time; a batch's span links to each.
const LINKS: u32 = 1_000;
/// Spans that may wait for the exporter: several batches' end at once.
const QUEUE: usize = 16_384;
/// How long the last spans may take at a stop.
const LAST: Duration = Duration::from_secs(2);

/// The exporter, while there is one.
pub(crate) struct Export(Option<SdkTracerProvider>);

impl Export {
    /// Of a process that exports nothing.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// As the environment says.
    pub(crate) fn start(service: &'static str) -> Self {
        let Some(endpoint) = endpoint() else { return Self::none() };
        if let Err(wrong) = fits(&endpoint) {
            tracing::error!(endpoint, "no spans are exported: {wrong}");
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

    /// Sends what is left, within `left`.
    pub(crate) async fn finish(self, left: Duration) {
        let Some(provider) = self.0 else { return };
        let last = move || provider.shutdown_with_timeout(left.min(LAST));
        if let Ok(Err(error)) = tokio::task::spawn_blocking(last).await {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// Where to, if that is said and not switched off.
fn endpoint() -> Option<String> {
    let is = |name, value| set(name).is_some_and(|set| set.eq_ignore_ascii_case(value));
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return None;
    }
    set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"))
}

/// Whether this build can export there.
fn fits(endpoint: &str) -> Result<(), &'static str> {
    let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or(set("OTEL_EXPORTER_OTLP_PROTOCOL"));
    match protocol.as_deref() {
        None | Some("http/protobuf") if endpoint.starts_with("http://") => Ok(()),
        None | Some("http/protobuf") => Err(
            "OTEL_EXPORTER_OTLP_ENDPOINT must be http://, such as a collector's beside this process",
        ),
        Some(_) => Err("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, mostly at port 4318"),
    }
}

/// The variable's value; an empty one is none.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// What the environment says of this process, and what it leaves open.
fn resource(service: &'static str) -> Resource {
    let said = Resource::builder().build();
    let open = |name: &'static str| said.get(&name.into()).is_none();
    let named = set("OTEL_SERVICE_NAME").is_some()
        || set("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|set| set.contains("service.name="));
    let own = [
        (!named).then(|| KeyValue::new("service.name", service)),
        open("service.version")
            .then(|| KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))),
        open("service.instance.id")
            .then(|| KeyValue::new("service.instance.id", Uuid::now_v7().to_string())),
    ];
    Resource::builder().with_attributes(own.into_iter().flatten()).build()
}
