//! The ways notices reach buyers, and who sees to it that they do.

mod letter;
mod log;
mod smtp;
mod teller;

use karcis_process::trace::{
    self, BOOKING,
    otel::{
        KeyValue,
        trace::{SpanBuilder, SpanKind},
    },
};

pub use log::LogNotifier;
pub use smtp::SmtpNotifier;
pub use teller::keep_telling;

use crate::domain::Due;

/// Tells this to its buyer in a span of the trace that it follows from.
async fn tell<T>(due: &Due, work: impl Future<Output = T>) -> T {
    let cause = due.trace.as_deref().and_then(trace::parse).unwrap_or_default();
    let span = trace::begin(&cause, || {
        SpanBuilder::from_name("tell_buyer")
            .with_kind(SpanKind::Client)
            .with_attributes([KeyValue::new(BOOKING, due.notice.booking_id.to_string())])
    });
    trace::scope(span, work).await
}
