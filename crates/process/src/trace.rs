//! W3C trace context: which request a piece of work belongs to, through HTTP and Kafka, and its spans.
//!
//! Work always has a [`Context`]: a task by [`scope`], each message of a batch by [`scope_batch`]. Spans
//! are made only while they are exported (`OTEL_*`); else a context is its caller's, passed on.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, OnceLock},
};

use opentelemetry::{
    KeyValue,
    context::FutureExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{Link, SpanBuilder, SpanContext, Status, TraceContextExt, TraceFlags, Tracer},
};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{IdGenerator, RandomIdGenerator, SdkTracer},
};
use uuid::Uuid;

pub use opentelemetry::{self as otel, Context};

/// The span attribute that names the booking.
pub const BOOKING: &str = "karcis.booking_id";

/// Set while spans are exported.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// The contexts of a batch's messages, by booking.
struct Batch(Arc<HashMap<Uuid, Context>>);

/// The booking of a request, once it is known.
struct About(OnceLock<Uuid>);

/// Makes spans from now on.
pub(crate) fn export_with(tracer: SdkTracer) {
    // A process exports once. Only a test starts a second `Process`.
    let _ = TRACER.set(tracer);
}

/// Whether spans are exported. If not, do no work for them.
pub fn is_exported() -> bool {
    TRACER.get().is_some()
}

/// The context of a `traceparent` header; `None` if it is malformed.
pub fn parse(header: &str) -> Option<Context> {
    struct Header<'a>(&'a str);
    impl Extractor for Header<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == "traceparent").then_some(self.0)
        }

        fn keys(&self) -> Vec<&str> {
            vec!["traceparent"]
        }
    }
    let found =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Header(header));
    found.has_active_span().then_some(found)
}

/// The `traceparent` header for work that this context causes; `None` outside any trace.
pub fn header(context: &Context) -> Option<String> {
    let span = context.span();
    let known = Some(span.span_context()).filter(|known| known.is_valid())?;
    let (trace, span, flags) = (known.trace_id(), known.span_id(), known.trace_flags());
    Some(format!("00-{trace}-{span}-{:02x}", flags.to_u8()))
}

/// The id of this context's trace, in hex; `None` outside any trace.
pub fn trace_id(context: &Context) -> Option<String> {
    let span = context.span();
    let known = Some(span.span_context()).filter(|known| known.is_valid())?;
    Some(known.trace_id().to_string())
}

/// The context of a request with this `traceparent`, or of a new trace if there is none or its caller is
/// not trusted: the span is then linked to it. While spans are exported it is that of the request's
/// span, else of an id that only log lines and messages name.
pub fn of_request(
    caller: Option<&str>,
    is_trusted: bool,
    span: impl FnOnce() -> SpanBuilder,
) -> Context {
    let caller = caller.and_then(parse).unwrap_or_default();
    let context = match (is_exported(), is_trusted) {
        (true, true) => begin(&caller, span),
        (true, false) => begin(&Context::new(), || linked(span(), &caller)),
        (false, true) => unexported(&caller),
        (false, false) => unexported(&Context::new()),
    };
    context.with_value(About(OnceLock::new()))
}

fn linked(span: SpanBuilder, to: &Context) -> SpanBuilder {
    let to = to.span().span_context().clone();
    if to.is_valid() { span.with_links(vec![Link::with_context(to)]) } else { span }
}

fn unexported(parent: &Context) -> Context {
    let (span, ids) = (parent.span(), RandomIdGenerator::default());
    let caller = span.span_context();
    let (trace, flags) = match caller.is_valid() {
        true => (caller.trace_id(), caller.trace_flags()),
        false => (ids.new_trace_id(), TraceFlags::SAMPLED),
    };
    let own = SpanContext::new(trace, ids.new_span_id(), flags, false, Default::default());
    parent.with_remote_span_context(own)
}

/// The context of a new span below `parent`, which ends with the last clone of the context. While spans
/// are not exported, `parent` itself.
pub fn begin(parent: &Context, span: impl FnOnce() -> SpanBuilder) -> Context {
    match TRACER.get() {
        Some(tracer) => parent.with_span(tracer.build_with_context(span(), parent)),
        None => parent.clone(),
    }
}

/// Runs `work` in a span of this name, below the running one.
pub async fn span<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    match TRACER.get() {
        Some(_) => scope(begin(&current(), || SpanBuilder::from_name(name)), work).await,
        None => work.await,
    }
}

/// Records that the span's work failed.
pub fn fail(context: &Context, error: &dyn Display) {
    if is_exported() {
        context.span().set_status(Status::error(error.to_string()));
    }
}

/// Runs `work` in this context.
pub async fn scope<T>(context: Context, work: impl Future<Output = T>) -> T {
    work.with_context(context).await
}

/// Runs `work` on a batch whose messages each have the context of their booking.
pub async fn scope_batch<T>(messages: HashMap<Uuid, Context>, work: impl Future<Output = T>) -> T {
    scope(Context::current_with_value(Batch(Arc::new(messages))), work).await
}

/// The running task's context.
pub fn current() -> Context {
    Context::current()
}

/// The context of this booking in the running batch, else [`current`].
pub fn of(booking: Option<Uuid>) -> Context {
    Context::map_current(|current| {
        let batch = booking.zip(current.get::<Batch>());
        let own = batch.and_then(|(booking, batch)| batch.0.get(&booking).cloned());
        own.unwrap_or_else(|| current.clone())
    })
}

/// Records that the running request is about this booking, for its span and log lines.
pub fn about(booking: Uuid) {
    Context::map_current(|current| {
        if let Some(About(about)) = current.get() {
            let _ = about.set(booking);
        }
        if is_exported() {
            current.span().set_attribute(KeyValue::new(BOOKING, booking.to_string()));
        }
    });
}

/// The booking the running request is about.
pub(crate) fn booking() -> Option<Uuid> {
    Context::map_current(|current| current.get::<About>()?.0.get().copied())
}
