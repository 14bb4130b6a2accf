//! The ways in which notifications reach buyers: by mail, or as log lines only.

mod email;
mod log;
mod smtp;

use karcis_process::trace::{
    self, BOOKING,
    otel::{
        KeyValue,
        trace::{SpanBuilder, SpanKind},
    },
};

pub(crate) use log::LogNotifier;
pub(crate) use smtp::SmtpNotifier;

use crate::domain::DueNotification;

/// Runs `work`, which sends this notification, in a span of the trace that it follows from.
async fn traced<T>(due: &DueNotification, work: impl Future<Output = T>) -> T {
    let cause = due.trace.as_deref().and_then(trace::parse).unwrap_or_default();
    let span = trace::begin(&cause, || {
        SpanBuilder::from_name("notify_buyer")
            .with_kind(SpanKind::Client)
            .with_attributes([KeyValue::new(BOOKING, due.notification.booking_id.to_string())])
    });
    trace::scope(span, work).await
}
