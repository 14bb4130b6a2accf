//! Payments as operators see them: without the buyers' methods.

use karcis_http::one_of;
use karcis_kernel::{BookingId, Money, PaymentId, Timestamp, UserId};
use serde::Serialize;
use utoipa::{ToSchema, openapi::Object};
use uuid::Uuid;

use super::super::responses::{outcomes, statuses};
use crate::{
    application::{OutcomeCount, Unsettled},
    domain::{Attempt, AttemptOutcome, Payment, PaymentRecord, State, Status},
};

/// Something that the provider left open.
#[derive(Serialize, ToSchema)]
#[schema(as = UnsettledPayment)]
pub(super) struct UnsettledResponse {
    booking_id: BookingId,
    user_id: UserId,
    amount: Money,
    /// `attempt` has no outcome; a `refund`, or the `reversal` of money that came too late or twice, is refused or
    /// not answered.
    #[schema(schema_with = whats)]
    what: &'static str,
    /// Null of a refund. The provider's idempotency key is made of it.
    attempt_id: Option<Uuid>,
    /// For how many seconds the attempt has been there; null of a refund.
    age_s: Option<i64>,
    /// Whether the booking is to be cancelled unless the money came.
    cancel_wanted: bool,
    /// Why the provider refuses, or why its answer says nothing.
    #[schema(examples("account_closed"))]
    refusal: Option<String>,
}

/// How many attempts to pay had one outcome.
#[derive(Serialize, ToSchema)]
#[schema(as = OutcomeCount)]
pub(super) struct OutcomeCountResponse {
    /// Null while there is none.
    #[schema(schema_with = outcomes)]
    outcome: Option<String>,
    /// Why they were declined.
    #[schema(examples("insufficient_funds"))]
    decline_code: Option<String>,
    attempts: i64,
}

impl From<OutcomeCount> for OutcomeCountResponse {
    fn from(OutcomeCount { outcome, decline_code, attempts }: OutcomeCount) -> Self {
        Self { outcome, decline_code, attempts }
    }
}

/// A booking's payment, for operators.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentStory)]
pub(super) struct PaymentStoryResponse {
    booking_id: BookingId,
    payment_id: PaymentId,
    #[schema(schema_with = statuses)]
    status: &'static str,
    /// Null, like the rest, if it was cancelled before it was requested.
    user_id: Option<UserId>,
    version: Option<i64>,
    amount: Option<Money>,
    captured: Option<Money>,
    refunded: Option<Money>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pay_by: Option<Timestamp>,
    /// Whether it is to be cancelled unless the money came.
    cancel_wanted: bool,
    /// Why the provider refuses the refund.
    #[schema(examples("account_closed"))]
    refusal: Option<String>,
    /// For people.
    #[schema(examples("the provider: an attempt of 2036-08-01T09:02:00Z has no outcome"))]
    waits_for: String,
    attempts: Vec<StoryAttemptResponse>,
}

/// One try to take the money, for operators.
#[derive(Serialize, ToSchema)]
#[schema(as = StoryAttempt)]
struct StoryAttemptResponse {
    /// The provider's idempotency key is made of it.
    attempt_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Null until it is known.
    #[schema(schema_with = outcomes)]
    outcome: Option<&'static str>,
    /// The provider's word for why it declined.
    decline_code: Option<String>,
    /// Why the provider refuses to give its money back.
    refusal: Option<String>,
    /// Until when the provider waits for the buyer.
    #[schema(value_type = Option<String>, format = DateTime)]
    waits_for_buyer_until: Option<Timestamp>,
}

fn whats() -> Object {
    one_of(["attempt", "refund", "reversal"])
}

impl UnsettledResponse {
    pub(super) fn new(open: Unsettled, at: Timestamp) -> Self {
        Self {
            booking_id: open.booking_id,
            user_id: open.user_id,
            amount: open.amount,
            what: open.what,
            attempt_id: Some(open.attempt_id).filter(|id| !id.is_nil()),
            age_s: open.at.map(|began| (at - began).num_seconds().max(0)),
            cancel_wanted: open.cancel_wanted,
            refusal: open.refusal,
        }
    }
}

impl From<&PaymentRecord> for PaymentStoryResponse {
    fn from(record: &PaymentRecord) -> Self {
        let payment = record.payment();
        let state = payment.map(|payment| &payment.state);
        let refusal = match state {
            Some(State::Refunding { refusal }) => refusal.clone(),
            _ => None,
        };
        let attempts = payment.map(|payment| payment.attempts.as_slice()).unwrap_or_default();
        Self {
            booking_id: record.booking_id(),
            payment_id: record.payment_id(),
            status: payment.map_or(Status::Cancelled, Payment::status).as_str(),
            user_id: payment.map(|payment| payment.terms.user_id()),
            version: payment.map(|payment| payment.version),
            amount: payment.map(|payment| payment.terms.amount()),
            captured: payment.map(|payment| payment.captured),
            refunded: payment.map(|payment| payment.refunded),
            pay_by: payment.map(|payment| payment.terms.pay_by()),
            cancel_wanted: matches!(state, Some(State::Processing { cancel_wanted: true, .. })),
            refusal,
            waits_for: payment.map_or_else(|| nothing(Status::Cancelled), waits_for),
            attempts: attempts.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Attempt> for StoryAttemptResponse {
    fn from(attempt: &Attempt) -> Self {
        let (decline_code, refusal) = match &attempt.outcome {
            Some(AttemptOutcome::Declined(decline)) => (Some(decline.code.clone()), None),
            Some(AttemptOutcome::Reversing { refusal }) => (None, refusal.clone()),
            _ => (None, None),
        };
        Self {
            attempt_id: attempt.id.0,
            at: attempt.at,
            outcome: attempt.outcome.as_ref().map(|outcome| outcome.kind().as_str()),
            decline_code,
            refusal,
            waits_for_buyer_until: attempt.next_action.as_ref().map(|next| next.expires_at),
        }
    }
}

/// What the payment waits for, in a sentence.
fn waits_for(payment: &Payment) -> String {
    let shown = |at: Timestamp| at.format("%FT%TZ");
    let reversal = payment.attempts.iter().find_map(|attempt| match &attempt.outcome {
        Some(AttemptOutcome::Reversing { refusal }) => Some(refusal.as_ref()),
        _ => None,
    });
    match (&payment.state, reversal) {
        (State::Refunding { refusal: Some(why) }, _) => {
            format!("an operator: the provider refuses the refund ({why})")
        }
        (_, Some(Some(why))) => {
            format!("an operator: the provider refuses to return late money ({why})")
        }
        (State::Refunding { refusal: None }, _) => "the provider to refund".to_owned(),
        (_, Some(None)) => "the provider to return late money".to_owned(),
        (State::Open, _) => format!("the buyer to pay, until {}", shown(payment.terms.pay_by())),
        (State::Processing { attempt, cancel_wanted }, _) => {
            let attempt = payment.attempt(*attempt);
            let began = attempt.map_or(payment.terms.pay_by(), |attempt| attempt.at);
            match payment.next_action() {
                Some(next) => format!("the buyer to act, until {}", shown(next.expires_at)),
                None if *cancel_wanted => {
                    format!("the provider to void an attempt of {}", shown(began))
                }
                None => format!("the provider: an attempt of {} has no outcome", shown(began)),
            }
        }
        (state, None) => nothing(state.status()),
    }
}

fn nothing(status: Status) -> String {
    format!("nothing: it is {}", status.as_str())
}
