//! A payment as its buyer sees it.

use karcis_http::one_of;
use karcis_kernel::{BookingId, Currency, Money, PaymentId, Timestamp};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{AllOfBuilder, Object, OneOfBuilder, Ref, Schema, Type},
};

use crate::domain::{Attempt, AttemptOutcome, Payment, State};

/// A booking's payment.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentJson {
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
    attempts: Vec<AttemptJson>,
    #[schema(maximum = 3, examples(2))]
    attempts_left: usize,
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:15:00Z"))]
    pay_by: Timestamp,
    /// What the buyer has to do; no method asks for anything yet.
    #[schema(schema_with = null)]
    next_action: Option<()>,
}

/// One try to take the money.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
struct AttemptJson {
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

/// A payment's statuses.
pub(super) fn statuses() -> Object {
    one_of([
        "succeeded",
        "open",
        "processing",
        "action_required",
        "failed",
        "cancelled",
        "refunding",
        "refunded",
    ])
}

fn outcomes() -> Schema {
    let outcomes = one_of(["approved", "declined", "voided", "returning", "returned"]);
    OneOfBuilder::new().item(outcomes).item(null()).into()
}

fn nothing_yet() -> Schema {
    let nothing = serde_json::json!(Money::zero(Currency::Idr));
    AllOfBuilder::new().item(Ref::from_schema_name("Money")).examples([nothing]).into()
}

fn null() -> Object {
    Object::with_type(Type::Null)
}

impl From<&Payment> for PaymentJson {
    fn from(payment: &Payment) -> Self {
        Self {
            payment_id: payment.payment_id,
            booking_id: payment.booking_id,
            version: payment.version,
            status: status_word(&payment.state),
            amount: payment.terms.amount(),
            captured: payment.captured,
            refunded: payment.refunded,
            attempts: payment.attempts.iter().map(AttemptJson::from).collect(),
            attempts_left: payment.attempts_left(),
            pay_by: payment.terms.pay_by(),
            next_action: None,
        }
    }
}

impl From<&Attempt> for AttemptJson {
    fn from(attempt: &Attempt) -> Self {
        let (outcome, decline_code) = match &attempt.outcome {
            None => (None, None),
            Some(AttemptOutcome::Approved) => (Some("approved"), None),
            Some(AttemptOutcome::Declined(why)) => (Some("declined"), Some(why.code.clone())),
            Some(AttemptOutcome::Voided) => (Some("voided"), None),
            Some(AttemptOutcome::Returning) => (Some("returning"), None),
            Some(AttemptOutcome::Returned) => (Some("returned"), None),
        };
        Self { at: attempt.at, method: attempt.method.clone(), outcome, decline_code }
    }
}

/// The public word for a state.
pub(super) fn status_word(state: &State) -> &'static str {
    match state {
        State::Open => "open",
        State::Processing { .. } => "processing",
        State::Succeeded => "succeeded",
        State::Failed { .. } => "failed",
        State::Cancelled => "cancelled",
        State::Refunding => "refunding",
        State::Refunded => "refunded",
    }
}
