//! Payments and methods as a buyer sees them.

use karcis_http::{one_of, or_null};
use karcis_kernel::{BookingId, Currency, Money, PaymentId, Timestamp};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{AllOfBuilder, Object, ObjectBuilder, Ref, Schema, Type},
};

use crate::{
    application::Method,
    domain::{
        Attempt, AttemptOutcome, BuyerAction, MAX_ATTEMPTS, NextAction, OutcomeKind, Payment,
        Status,
    },
};

/// A booking's payment.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentResponse {
    payment_id: PaymentId,
    booking_id: BookingId,
    /// Rises with each visible change.
    #[schema(minimum = 1, examples(3))]
    version: i64,
    #[schema(schema_with = statuses)]
    status: &'static str,
    amount: Money,
    captured: Money,
    #[schema(schema_with = nothing_yet)]
    refunded: Money,
    attempts: Vec<AttemptResponse>,
    #[schema(schema_with = attempts_left)]
    attempts_left: usize,
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:15:00Z"))]
    pay_by: Timestamp,
    #[schema(schema_with = next_action)]
    next_action: Option<NextActionResponse>,
}

/// What the buyer has to do before the money can be taken.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = NextAction)]
pub(super) enum NextActionResponse {
    /// Open this page of the provider.
    Redirect {
        url: String,
        #[schema(value_type = String, format = DateTime)]
        expires_at: Timestamp,
    },
    /// Transfer the amount to this account number.
    VirtualAccount {
        number: String,
        #[schema(value_type = String, format = DateTime)]
        expires_at: Timestamp,
    },
    /// Scan the QR code that encodes this text.
    Qr {
        text: String,
        #[schema(value_type = String, format = DateTime)]
        expires_at: Timestamp,
    },
}

/// One try to take the money.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
struct AttemptResponse {
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:02:00Z"))]
    at: Timestamp,
    #[schema(examples("tok_approved"))]
    method: String,
    /// Null until it is known.
    #[schema(schema_with = outcomes)]
    outcome: Option<&'static str>,
    /// The provider's word for why.
    #[schema(examples(json!(null)))]
    decline_code: Option<String>,
}

/// A way to pay.
#[derive(Serialize, ToSchema)]
#[schema(as = Method)]
pub(super) struct MethodResponse {
    #[schema(examples("tok_approved"))]
    method: &'static str,
    #[schema(examples("Card that is approved"))]
    label: &'static str,
    #[schema(examples("approves at once"))]
    description: &'static str,
}

/// The statuses of a payment.
pub(super) fn statuses() -> Object {
    one_of(Status::ALL.map(Status::as_str))
}

pub(super) fn outcomes() -> Schema {
    or_null(one_of(OutcomeKind::ALL.map(OutcomeKind::as_str))).into()
}

fn attempts_left() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(MAX_ATTEMPTS))
        .examples([2])
        .build()
}

fn next_action() -> Schema {
    or_null(Ref::from_schema_name("NextAction"))
        .description(Some("What the buyer has to do while the status is `action_required`."))
        .examples([serde_json::Value::Null])
        .into()
}

fn nothing_yet() -> Schema {
    let nothing = serde_json::json!(Money::zero(Currency::Idr));
    AllOfBuilder::new().item(Ref::from_schema_name("Money")).examples([nothing]).into()
}

impl From<&Payment> for PaymentResponse {
    fn from(payment: &Payment) -> Self {
        Self {
            payment_id: payment.payment_id,
            booking_id: payment.booking_id,
            version: payment.version,
            status: payment.status().as_str(),
            amount: payment.terms.amount(),
            captured: payment.captured,
            refunded: payment.refunded,
            attempts: payment.attempts.iter().map(AttemptResponse::from).collect(),
            attempts_left: payment.attempts_left(),
            pay_by: payment.terms.pay_by(),
            next_action: payment.next_action().map(NextActionResponse::from),
        }
    }
}

impl From<&NextAction> for NextActionResponse {
    fn from(next: &NextAction) -> Self {
        let expires_at = next.expires_at;
        match next.action.clone() {
            BuyerAction::Redirect { url } => Self::Redirect { url, expires_at },
            BuyerAction::VirtualAccount { number } => Self::VirtualAccount { number, expires_at },
            BuyerAction::Qr { text } => Self::Qr { text, expires_at },
        }
    }
}

impl From<&Attempt> for AttemptResponse {
    fn from(attempt: &Attempt) -> Self {
        let outcome = attempt.outcome.as_ref().map(|outcome| outcome.kind().as_str());
        let decline_code = match &attempt.outcome {
            Some(AttemptOutcome::Declined(decline)) => Some(decline.code.clone()),
            _ => None,
        };
        Self { at: attempt.at, method: attempt.method.clone(), outcome, decline_code }
    }
}

impl From<&Method> for MethodResponse {
    fn from(method: &Method) -> Self {
        Self { method: method.token, label: method.label, description: method.about }
    }
}
