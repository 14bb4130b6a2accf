//! W3C trace context: which request a piece of work belongs to, carried through HTTP and Kafka.

use std::{collections::HashMap, future::Future, sync::Arc};

use uuid::Uuid;

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
    pub fn new() -> Self {
        todo!()
    }

    /// The header's meaning; `None` if it is malformed.
    pub fn parse(_header: &str) -> Option<Self> {
        todo!()
    }

    /// A new span of the same trace.
    pub fn child(&self) -> Self {
        todo!()
    }

    /// The header's value.
    pub fn header(&self) -> String {
        todo!()
    }
}

/// Runs `work` as part of `trace`.
pub async fn scope<T>(_trace: TraceParent, _work: impl Future<Output = T>) -> T {
    todo!()
}

/// Runs `work` on a batch whose messages each belong to the trace of their booking.
pub async fn scope_batch<T>(
    _traces: Arc<HashMap<Uuid, TraceParent>>,
    _work: impl Future<Output = T>,
) -> T {
    todo!()
}

/// The trace the running task works for, if any.
pub fn current() -> Option<TraceParent> {
    todo!()
}

/// The trace of this booking in the running batch, else [`current`].
pub fn of(_correlation: Option<Uuid>) -> Option<TraceParent> {
    todo!()
}
