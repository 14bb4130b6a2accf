//! Spans of messages on their way, by OpenTelemetry's conventions for messaging.
//! Source: <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>.
//!
//! A message's trace has these spans: its sender's, `send` from the commit to the broker's ack, and
//! `process` at each reader, below which is what that reader sends. A batch has a trace of its own. Its
//! span links to the span that each message names as its parent; each `process` span links to the batch.

use chrono::{DateTime, Utc};
use karcis_process::trace::{
    self, BOOKING, Context,
    otel::{
        KeyValue,
        trace::{Link, SpanBuilder, SpanContext, SpanKind, TraceContextExt},
    },
};
use uuid::Uuid;

/// What is known of a message.
#[derive(Clone, Copy)]
pub(crate) struct Described<'a> {
    pub(crate) topic: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) id: &'a str,
    pub(crate) booking: Option<Uuid>,
}

/// The span of a message in the outbox since `at`, below what caused it. `None` while spans are not
/// exported: then the message carries its cause's context.
pub(crate) fn send(
    cause: Option<&str>,
    message: Described<'_>,
    at: DateTime<Utc>,
) -> Option<Context> {
    trace::is_exported().then(|| {
        let cause = cause.and_then(trace::parse).unwrap_or_default();
        trace::begin(&cause, || message.span("send", SpanKind::Producer).with_start_time(at))
    })
}

/// The span of a batch of `service`, which links to each of its messages.
pub(crate) fn batch(service: &'static str, messages: &[Context]) -> Context {
    trace::begin(&Context::new(), || {
        let attributes = [
            KeyValue::new("messaging.system", "kafka"),
            KeyValue::new("messaging.operation.name", "process batch"),
            KeyValue::new("messaging.operation.type", "process"),
            KeyValue::new("messaging.consumer.group.name", service),
            KeyValue::new("messaging.batch.message_count", messages.len() as i64),
        ];
        let links = messages.iter().map(known).filter(SpanContext::is_sampled);
        SpanBuilder::from_name("process batch")
            .with_kind(SpanKind::Consumer)
            .with_attributes(attributes)
            .with_links(links.map(Link::with_context).collect())
    })
}

/// The span of a message in `batch`, read at this partition and offset, below what sent it.
pub(crate) fn process(
    service: &'static str,
    sender: &Context,
    message: Described<'_>,
    (partition, offset): (i32, i64),
    batch: &Context,
) -> Context {
    trace::begin(sender, || {
        let mut span = message.span("process", SpanKind::Consumer);
        span.attributes.get_or_insert_default().extend([
            KeyValue::new("messaging.consumer.group.name", service),
            KeyValue::new("messaging.destination.partition.id", partition.to_string()),
            KeyValue::new("messaging.kafka.offset", offset),
        ]);
        span.with_links(vec![Link::with_context(known(batch))])
    })
}

impl Described<'_> {
    fn span(self, operation: &'static str, kind: SpanKind) -> SpanBuilder {
        let booking = self.booking.map(|id| KeyValue::new(BOOKING, id.to_string()));
        let attributes = [
            KeyValue::new("messaging.system", "kafka"),
            KeyValue::new("messaging.operation.name", operation),
            KeyValue::new("messaging.operation.type", operation),
            KeyValue::new("messaging.destination.name", self.topic.to_owned()),
            KeyValue::new("messaging.message.id", self.id.to_owned()),
            KeyValue::new("cloudevents.event_type", self.kind.to_owned()),
        ];
        SpanBuilder::from_name(format!("{operation} {}", self.topic))
            .with_kind(kind)
            .with_attributes(attributes.into_iter().chain(booking))
    }
}

fn known(context: &Context) -> SpanContext {
    context.span().span_context().clone()
}
