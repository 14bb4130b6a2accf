//! A collector: takes spans over OTLP/HTTP and keeps them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span as WireSpan, span::SpanKind},
};
use prost::Message;

/// A span as it was exported.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub service: String,
    pub name: String,
    pub kind: SpanKind,
    pub trace_id: String,
    pub id: String,
    /// Empty for the first of its trace.
    pub parent: String,
    /// The spans it links to: trace and id.
    pub links: Vec<(String, String)>,
    pub attributes: HashMap<String, String>,
    pub took_ns: u64,
}

/// Serves as long as the test's runtime.
pub(crate) struct Collector {
    pub url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let kept = spans.clone();
        let take = async move |body: Bytes| {
            let Ok(request) = ExportTraceServiceRequest::decode(body) else {
                return StatusCode::BAD_REQUEST;
            };
            kept.lock().unwrap().extend(spans_of(request));
            StatusCode::OK
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, spans }
    }

    /// What has come so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

fn spans_of(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let said = resource.resource.map(|it| attributes(it.attributes)).unwrap_or_default();
        let service = said.get("service.name").cloned().unwrap_or_default();
        let sent = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(sent.map(|span| span_of(&service, span)));
    }
    spans
}

fn span_of(service: &str, span: WireSpan) -> Span {
    Span {
        service: service.to_owned(),
        kind: span.kind(),
        trace_id: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: span.links.iter().map(|it| (hex(&it.trace_id), hex(&it.span_id))).collect(),
        attributes: attributes(span.attributes),
        took_ns: span.end_time_unix_nano - span.start_time_unix_nano,
        name: span.name,
    }
}

fn attributes(attributes: Vec<KeyValue>) -> HashMap<String, String> {
    let text = |value: AnyValue| match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|it| (it.key, it.value.map(text).unwrap_or_default())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
