//! Calls of the provider, with their span and their time.

use std::sync::Arc;

use async_trait::async_trait;
use karcis_kernel::BookingId;
use karcis_process::trace::{
    self, BOOKING,
    otel::{
        KeyValue,
        trace::{SpanBuilder, SpanKind, TraceContextExt},
    },
};
use tokio::time::Instant;

use crate::{
    adapters::metrics,
    application::ports::{Charge, Method, PaymentGateway, ProviderUnavailable, Refund},
    domain::{Outcome, RefundOutcome},
};

/// A provider whose calls are measured.
pub(crate) struct Measured(pub Arc<dyn PaymentGateway>);

#[async_trait]
impl PaymentGateway for Measured {
    fn methods(&self) -> &'static [Method] {
        self.0.methods()
    }

    async fn charge(&self, charge: Charge) -> Outcome {
        measured("charge", charge.intent, self.0.charge(charge), outcome).await
    }

    async fn void(&self, intent: BookingId) -> Outcome {
        measured("void", intent, self.0.void(intent), outcome).await
    }

    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable> {
        measured("refund", refund.intent, self.0.refund(refund), refund_outcome).await
    }
}

const UNKNOWN: &str = "unknown";

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Approved => "approved",
        Outcome::Declined(_) => "declined",
        Outcome::Voided => "voided",
        Outcome::ActionRequired(_) => "action_required",
        Outcome::Pending => "pending",
        Outcome::Unknown => UNKNOWN,
    }
}

fn refund_outcome(answer: &Result<RefundOutcome, ProviderUnavailable>) -> &'static str {
    match answer {
        Ok(RefundOutcome::Done) => "refunded",
        Ok(RefundOutcome::Pending) => "pending",
        Ok(RefundOutcome::Refused { .. }) => "refused",
        Err(_) => UNKNOWN,
    }
}

async fn measured<T>(
    operation: &'static str,
    booking: BookingId,
    call: impl Future<Output = T>,
    outcome: impl FnOnce(&T) -> &'static str,
) -> T {
    let began = Instant::now();
    let context = trace::begin(&trace::current(), || {
        SpanBuilder::from_name(operation)
            .with_kind(SpanKind::Client)
            .with_attributes([KeyValue::new(BOOKING, booking.to_string())])
    });
    let answer = trace::scope(context.clone(), call).await;
    let outcome = outcome(&answer);
    if trace::is_exported() {
        context.span().set_attribute(KeyValue::new("karcis.outcome", outcome));
    }
    if outcome == UNKNOWN {
        trace::fail(&context, &"no definite answer");
    }
    metrics::call(operation, outcome, began);
    answer
}
