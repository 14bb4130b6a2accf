//! What operators see of a saga.

use std::collections::HashMap;

use karcis_http::one_of;
use karcis_kernel::{BookingId, EventId, Money, Timestamp, UserId};
use serde::Serialize;
use utoipa::{ToSchema, openapi::Object};
use uuid::Uuid;

use super::super::responses::statuses;
use crate::{
    application::{SetAside, TimelineEntry},
    domain::{Booking, Message, Stage, Stuck},
};

/// The stages of a saga that waits, as they are called in its timeline.
pub(super) const STAGES: [&str; 6] =
    ["reserving", "awaiting", "cancelling", "confirming", "releasing", "refunding"];

/// How much is shown of an error, in characters.
const ERROR_CHARS: usize = 300;

/// What each answer makes of a hold.
const HOLDS: [(&str, &str); 5] = [
    ("TicketsReserved", "held"),
    ("TicketsRejected", "rejected"),
    ("TicketsConfirmed", "sold"),
    ("ConfirmRefused", "lost"),
    ("TicketsReleased", "released"),
];

/// What each command and each answer makes of a payment.
const PAYMENTS: [(&str, &str); 9] = [
    ("RequestPayment", "requested"),
    ("PaymentRequested", "open"),
    ("CancelPayment", "cancelling"),
    ("PaymentSucceeded", "succeeded"),
    ("PaymentFailed", "failed"),
    ("PaymentCancelled", "cancelled"),
    ("RefundPayment", "refunding"),
    ("RefundRefused", "refund_refused"),
    ("PaymentRefunded", "refunded"),
];

/// A booking whose saga waits for something.
#[derive(Serialize, ToSchema)]
#[schema(as = Saga)]
pub(super) struct SagaResponse {
    booking_id: BookingId,
    user_id: UserId,
    event_id: EventId,
    #[schema(schema_with = statuses)]
    status: &'static str,
    #[schema(examples("confirming"))]
    stage: &'static str,
    /// For how many seconds it has not changed.
    age_s: i64,
    /// The commands that are sent again until they are answered.
    #[schema(examples("ConfirmTickets"))]
    pending: Vec<&'static str>,
    /// How often these were sent, without what operators wanted sent; 0 if there are none.
    attempts: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_resend_at: Option<Timestamp>,
    /// Why it needs an operator: `unanswered` or `refund_refused`.
    #[schema(examples("unanswered"))]
    stuck: Option<&'static str>,
    /// Of its dead letters and parked messages.
    #[schema(examples("missing field `total` at line 1 column 210"))]
    last_error: Option<String>,
    /// For people.
    #[schema(examples(
        "event-service to answer ConfirmTickets; sent 7 times, next at 2036-08-01T09:05:00Z"
    ))]
    waits_for: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A booking's whole story, as booking-service knows it.
#[derive(Serialize, ToSchema)]
#[schema(as = SagaStory)]
pub(super) struct SagaStoryResponse {
    #[serde(flatten)]
    saga: SagaResponse,
    /// Why it is undone or rejected.
    #[schema(examples("cancelled_by_buyer"))]
    reason: Option<&'static str>,
    version: i64,
    total: Option<Money>,
    tickets: u32,
    /// Until when it has to be paid; null while unpriced or free.
    #[schema(value_type = Option<String>, format = DateTime)]
    pay_by: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    refundable_until: Option<Timestamp>,
    /// Of what happened last.
    #[schema(examples("4bf92f3577b34da6a3ce929d0e0e4736"))]
    trace_id: Option<String>,
    hold: HeardHoldResponse,
    /// Null if none was ever asked for: it is free, or was not priced.
    payment: Option<HeardPaymentResponse>,
    /// All that happened, the oldest first.
    timeline: Vec<StoryEntryResponse>,
    /// Its messages that did not arrive, the newest first.
    set_aside: Vec<SetAsideResponse>,
}

/// What event-service has said of the seats.
#[derive(Serialize, ToSchema)]
#[schema(as = HeardHold)]
struct HeardHoldResponse {
    /// `requested`: not yet answered. `lost`: it could not be sold.
    #[schema(schema_with = states)]
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// What payment-service has said of the money.
#[derive(Serialize, ToSchema)]
#[schema(as = HeardPayment)]
struct HeardPaymentResponse {
    /// `requested`, `cancelling` and `refunding`: not yet answered.
    #[schema(schema_with = payment_statuses)]
    status: &'static str,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    amount: Money,
    captured: Money,
    refunded: Money,
}

/// A transition of a saga.
#[derive(Serialize, ToSchema)]
#[schema(as = StoryEntry)]
struct StoryEntryResponse {
    seq: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(examples("TicketsReserved"))]
    input: String,
    from: Option<String>,
    #[schema(examples("awaiting"))]
    to: String,
    #[schema(examples("RequestPayment"))]
    sent: Vec<String>,
    trace_id: Option<String>,
}

/// A message of a booking that did not arrive.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAsideMessage)]
struct SetAsideResponse {
    /// Where it is: `dead_letter` (it came and could not be handled), `parked` (the broker did not take
    /// it) or `outbox` (it waits to be sent).
    #[schema(schema_with = places)]
    place: &'static str,
    /// Its id there.
    id: Uuid,
    #[schema(examples("karcis.ConfirmTickets.v1"))]
    r#type: Option<String>,
    error: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What an operator did to a booking.
#[derive(Serialize, ToSchema)]
#[schema(as = SagaAct)]
pub(super) struct SagaActResponse {
    #[serde(flatten)]
    pub(super) saga: SagaResponse,
    /// Whether this changed anything.
    pub(super) is_changed: bool,
}

fn states() -> Object {
    one_of(["requested"].into_iter().chain(HOLDS.map(|(_, state)| state)))
}

fn payment_statuses() -> Object {
    one_of(PAYMENTS.map(|(_, status)| status))
}

fn places() -> Object {
    one_of(["dead_letter", "parked", "outbox"])
}

impl SagaResponse {
    pub(super) fn new(booking: &Booking, last_error: Option<String>, at: Timestamp) -> Self {
        let order = &booking.order;
        Self {
            booking_id: order.id,
            user_id: order.buyer,
            event_id: order.event_id,
            status: booking.status().as_str(),
            stage: booking.stage.name(),
            age_s: (at - booking.updated_at).num_seconds().max(0),
            pending: booking.pending().iter().map(Message::name).collect(),
            attempts: booking.next_resend.map_or(0, |resend| resend.attempt),
            next_resend_at: booking.next_resend.map(|resend| resend.at),
            stuck: booking.stuck.map(Stuck::as_str),
            last_error: last_error.map(cut),
            waits_for: booking.waits_for(),
            created_at: order.created_at,
            updated_at: booking.updated_at,
        }
    }
}

impl SagaStoryResponse {
    pub(super) fn new(
        booking: &Booking,
        timeline: Vec<TimelineEntry>,
        set_aside: Vec<SetAside>,
        at: Timestamp,
    ) -> Self {
        let last_error = last_errors(&set_aside).remove(&booking.order.id);
        let reservation = booking.reservation();
        let traces = timeline.iter().rev();
        Self {
            saga: SagaResponse::new(booking, last_error, at),
            reason: booking.reason(),
            version: booking.version,
            total: reservation.map(|reservation| reservation.total),
            tickets: booking.order.items.as_slice().iter().map(|item| item.quantity).sum(),
            pay_by: booking.pay_by(),
            refundable_until: booking.refundable_until(),
            trace_id: traces.filter_map(|entry| entry.trace_id.clone()).next(),
            hold: HeardHoldResponse::new(booking.order.created_at, &timeline),
            payment: reservation.and_then(|it| HeardPaymentResponse::new(it.total, &timeline)),
            timeline: timeline.into_iter().map(Into::into).collect(),
            set_aside: set_aside.into_iter().take(20).map(Into::into).collect(),
        }
    }
}

impl HeardHoldResponse {
    /// Of a booking that was created then, and has this timeline.
    fn new(created_at: Timestamp, timeline: &[TimelineEntry]) -> Self {
        let (state, since) = last(&HOLDS, timeline).unwrap_or(("requested", created_at));
        Self { state, since }
    }
}

impl HeardPaymentResponse {
    /// Of a booking with this price and this timeline; `None` if no payment was asked for.
    fn new(amount: Money, timeline: &[TimelineEntry]) -> Option<Self> {
        let (status, since) = last(&PAYMENTS, timeline)?;
        let none = Money::new(0, amount.currency);
        let (captured, refunded) = match status {
            "succeeded" | "refunding" | "refund_refused" => (amount, none),
            "refunded" => (amount, amount),
            _ => (none, none),
        };
        Some(Self { status, since, amount, captured, refunded })
    }
}

/// What the last of these messages in the timeline made, and when; what came is before what was then sent.
fn last(
    makes: &[(&str, &'static str)],
    timeline: &[TimelineEntry],
) -> Option<(&'static str, Timestamp)> {
    timeline.iter().rev().find_map(|entry| {
        let mut messages = entry.sent.iter().rev().chain([&entry.input]);
        let made = |message: &String| makes.iter().find(|(kind, _)| kind == message);
        messages.find_map(made).map(|(_, made)| (*made, entry.at))
    })
}

/// The newest error of each booking's messages, which are the newest first.
pub(super) fn last_errors(set_aside: &[SetAside]) -> HashMap<BookingId, String> {
    let oldest_first = set_aside.iter().rev();
    oldest_first.filter_map(|one| Some((one.booking_id, one.error.clone()?))).collect()
}

/// Whether the booking is at its end, where nothing is sent.
pub(super) fn has_ended(booking: &Booking) -> bool {
    matches!(
        booking.stage,
        Stage::Confirmed { .. } | Stage::Rejected { .. } | Stage::Cancelled { .. }
    )
}

fn cut(error: String) -> String {
    error.chars().take(ERROR_CHARS).collect()
}

impl From<TimelineEntry> for StoryEntryResponse {
    fn from(entry: TimelineEntry) -> Self {
        let TimelineEntry { seq, at, input, from, to, sent, trace_id } = entry;
        Self { seq, at, input, from, to, sent, trace_id }
    }
}

impl From<SetAside> for SetAsideResponse {
    fn from(message: SetAside) -> Self {
        let SetAside { booking_id: _, id, place, kind, error, at } = message;
        Self { place, id, r#type: kind.map(cut), error: error.map(cut), at }
    }
}
