//! Calls of the provider, with their span and their time, and with texts that can be stored.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use karcis_kernel::{BookingId, Currency, Money, Timestamp};
use karcis_process::{
    crash_point,
    trace::{
        self, BOOKING,
        otel::{
            KeyValue,
            trace::{SpanBuilder, SpanKind, TraceContextExt},
        },
    },
};
use tokio::time::Instant;

use crate::{
    adapters::metrics,
    application::{Charge, Method, PaymentGateway, ProviderUnavailable, Refund, WrongSignature},
    domain::{BuyerAction, Decline, NextAction, Outcome, RefundOutcome},
};

/// A provider whose calls are measured, and whose texts can be stored.
pub(crate) struct Measured(pub Arc<dyn PaymentGateway>);

#[async_trait]
impl PaymentGateway for Measured {
    fn methods(&self) -> &'static [Method] {
        self.0.methods()
    }

    fn accepts(&self, token: &str) -> bool {
        self.0.accepts(token)
    }

    async fn charge(&self, charge: Charge) -> Outcome {
        crash_point("provider.charge");
        let answer = measured("charge", charge.intent, self.0.charge(charge), outcome).await;
        crash_point("provider.charged");
        storable_outcome(answer)
    }

    async fn void(&self, intent: BookingId) -> Outcome {
        crash_point("provider.void");
        let answer = measured("void", intent, self.0.void(intent), outcome).await;
        crash_point("provider.voided");
        answer
    }

    async fn refund(&self, refund: Refund) -> Result<RefundOutcome, ProviderUnavailable> {
        crash_point("provider.refund");
        let answer = measured("refund", refund.intent, self.0.refund(refund), refund_outcome).await;
        crash_point("provider.refunded");
        match answer {
            Ok(RefundOutcome::Refused { reason }) => {
                Ok(RefundOutcome::Refused { reason: storable(reason) })
            }
            Err(ProviderUnavailable(why)) => Err(ProviderUnavailable(storable(why))),
            answer => answer,
        }
    }

    async fn captures(&self, intent: BookingId) -> Result<HashSet<String>, ProviderUnavailable> {
        measured("captures", intent, self.0.captures(intent), listed).await
    }

    async fn refunded(
        &self,
        intent: BookingId,
        currency: Currency,
    ) -> Result<Money, ProviderUnavailable> {
        measured("refunded", intent, self.0.refunded(intent, currency), listed).await
    }

    fn read_webhook(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<BookingId>, WrongSignature> {
        self.0.read_webhook(header, body, now)
    }
}

const UNKNOWN: &str = "unknown";

fn listed<T, E>(answer: &Result<T, E>) -> &'static str {
    if answer.is_ok() { "listed" } else { UNKNOWN }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Approved => "approved",
        Outcome::Declined(_) => "declined",
        Outcome::AlreadyCaptured { .. } => "already_captured",
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
    metrics::record_call(operation, outcome, began);
    answer
}

fn storable_outcome(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Declined(Decline { kind, code }) => {
            Outcome::Declined(Decline { kind, code: storable(code) })
        }
        Outcome::ActionRequired(NextAction { action, expires_at }) => {
            let action = match action {
                BuyerAction::Redirect { url } => BuyerAction::Redirect { url: storable(url) },
                BuyerAction::VirtualAccount { number } => {
                    BuyerAction::VirtualAccount { number: storable(number) }
                }
                BuyerAction::Qr { text } => BuyerAction::Qr { text: storable(text) },
            };
            Outcome::ActionRequired(NextAction { action, expires_at })
        }
        Outcome::Approved
        | Outcome::AlreadyCaptured { .. }
        | Outcome::Voided
        | Outcome::Pending
        | Outcome::Unknown => outcome,
    }
}

/// The text without NUL, which Postgres cannot store: it would reject all that is stored with it.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DeclineKind;

    #[test]
    fn texts_of_the_provider_have_no_nul() {
        let declined = |code: &str| {
            Outcome::Declined(Decline { kind: DeclineKind::Soft, code: code.to_owned() })
        };
        assert_eq!(storable_outcome(declined("a\0b")), declined("a\u{fffd}b"));
        assert_eq!(storable_outcome(declined("expired_card")), declined("expired_card"));
        let scan = |text: &str| {
            let action = BuyerAction::Qr { text: text.to_owned() };
            Outcome::ActionRequired(NextAction { action, expires_at: Timestamp::UNIX_EPOCH })
        };
        assert_eq!(storable_outcome(scan("\0")), scan("\u{fffd}"));
    }
}
