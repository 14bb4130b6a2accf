//! W3C trace context: which request a piece of work belongs to, carried through HTTP and Kafka.

use std::{collections::HashMap, future::Future, sync::Arc};

use tracing::Instrument;
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: TraceParent;
    static BATCH: Arc<HashMap<Uuid, TraceParent>>;
}

const SAMPLED: u8 = 0x01;
const RANDOM: u8 = 0x02;

/// A `traceparent` header's value, version 00. See <https://www.w3.org/TR/trace-context/>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace's id.
    pub trace_id: u128,
    /// The caller's span.
    pub span_id: u64,
    /// The flags; bit 0 is "sampled".
    pub flags: u8,
}

impl TraceParent {
    /// A new trace.
    #[allow(clippy::new_without_default, reason = "no two are equal, as defaults would be")]
    pub fn new() -> Self {
        // Zero is the one id that is not valid.
        let trace_id = rand::random::<u128>().max(1);
        Self { trace_id, span_id: new_span_id(), flags: SAMPLED | RANDOM }
    }

    /// The header's meaning; `None` if it is malformed.
    pub fn parse(header: &str) -> Option<Self> {
        const LENGTH: usize = 55;
        let known = header.get(..LENGTH)?;
        let rest = &header[LENGTH..];
        let [version, trace_id, span_id, flags] =
            known.split('-').collect::<Vec<_>>().try_into().ok()?;
        // A later version may add fields behind these four.
        let rest_is_valid = rest.is_empty() || version != "00" && rest.starts_with('-');
        if !rest_is_valid || version == "ff" || hex(version, 2).is_none() {
            return None;
        }
        let trace = Self {
            trace_id: hex(trace_id, 32)?,
            span_id: hex(span_id, 16)?.try_into().ok()?,
            flags: hex(flags, 2)?.try_into().ok()?,
        };
        (trace.trace_id != 0 && trace.span_id != 0).then_some(trace)
    }

    /// A new span of the same trace.
    pub fn child(&self) -> Self {
        // Only the flags this version knows may be passed on.
        Self { span_id: new_span_id(), flags: self.flags & (SAMPLED | RANDOM), ..*self }
    }

    /// The header's value.
    pub fn header(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

fn new_span_id() -> u64 {
    rand::random::<u64>().max(1)
}

/// Lower-case digits only, exactly so many.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != digits || !text.bytes().all(is_hex) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

/// Runs `work` as part of `trace`; its log lines carry the trace's id.
pub async fn scope<T>(trace: TraceParent, work: impl Future<Output = T>) -> T {
    let span = tracing::info_span!("trace", id = format_args!("{:032x}", trace.trace_id));
    CURRENT.scope(trace, work.instrument(span)).await
}

/// Runs `work` on a batch whose messages each belong to the trace of their booking.
pub async fn scope_batch<T>(
    traces: Arc<HashMap<Uuid, TraceParent>>,
    work: impl Future<Output = T>,
) -> T {
    BATCH.scope(traces, work).await
}

/// The trace the running task works for, if any.
pub fn current() -> Option<TraceParent> {
    CURRENT.try_get().ok()
}

/// The trace of this booking in the running batch, else [`current`].
pub fn of(correlation: Option<Uuid>) -> Option<TraceParent> {
    correlation
        .and_then(|id| BATCH.try_with(|traces| traces.get(&id).copied()).ok().flatten())
        .or_else(current)
}
