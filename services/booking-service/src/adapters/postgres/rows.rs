//! Rows of tables `booking` and `event`, as they are read and as columns for statements that write many.

use std::sync::Arc;

use karcis_database::Loaded;
use karcis_kernel::{BookingId, EventId, Money, Timestamp, UserId};
use sqlx::{FromRow, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::stored_json::{
    ItemJson, ReservationJson, TicketJson, items_json, reservation_json, tickets_json,
};
use crate::{
    application::{Change, EventEdit},
    domain::{
        Booking, Cause, CurrentEvent, EventDetails, EventSnapshot, Items, NextResend, Order,
        RejectReason, Stage, Stuck,
    },
};

/// A query for [`read_bookings`]: all columns of a [`BookingRow`], and the rest of the statement. Tickets
/// are many, and only a confirmed booking shows them.
macro_rules! select_bookings {
    ($rest:literal) => {
        sqlx::query(concat!(
            "SELECT id, user_id, booking.event_id, items, expected_amount, expected_currency, \
             created_at, pay_by, booking.version, stage, reason, payable, released, refunded, offer, \
             CASE WHEN stage = 'confirmed' THEN tickets END AS tickets, attempt, wake_at, stuck, \
             updated_at, event_version, event.version AS now_version, title, venue, starts_at, \
             time_zone, shown_version, refundable_until, ends_at, cancel_reason \
             FROM booking LEFT JOIN event ON event.event_id = booking.event_id ",
            $rest
        ))
    };
}

/// How many seats a booking's row is of, in SQL; what cannot be read counts for nothing.
macro_rules! seats {
    () => {
        "(SELECT COALESCE(sum(CASE json_typeof(item -> 'quantity')
             WHEN 'number' THEN (item ->> 'quantity')::bigint END), 0)::bigint
          FROM json_array_elements(CASE json_typeof(items) WHEN 'array' THEN items END) AS item)"
    };
}

/// The ids of up to $3 of an event's bookings $1 that meet the condition, after $5 and without those of $2; fewer, but
/// at least one, if together they have more than $4 seats.
macro_rules! bookings_within {
    ($condition:literal) => {
        concat!(
            "SELECT id FROM (
                 SELECT id, seats, sum(seats) OVER (ORDER BY id) AS seats_so_far FROM (
                     SELECT id, ",
            seats!(),
            " AS seats FROM booking
                     WHERE event_id = $1 AND NOT gone AND id > $5 AND id <> ALL($2) AND ",
            $condition,
            " ORDER BY id LIMIT $3
                 ) AS found
             ) AS counted WHERE seats_so_far <= $4 OR seats_so_far = seats"
        )
    };
}

pub(super) use {bookings_within, seats, select_bookings};

/// The bookings of these rows.
pub(super) fn read_bookings(rows: &[PgRow]) -> Loaded<Booking> {
    let parse = |row: BookingRow| row.parsed().ok_or("a word or a number is unknown");
    Loaded::read("booking", "id", rows, parse)
}

#[derive(FromRow)]
struct BookingRow {
    id: Uuid,
    user_id: Uuid,
    event_id: Uuid,
    items: Json<Vec<ItemJson>>,
    expected_amount: Option<i64>,
    expected_currency: Option<String>,
    created_at: Timestamp,
    pay_by: Timestamp,
    version: i64,
    stage: String,
    reason: Option<String>,
    payable: bool,
    released: bool,
    refunded: bool,
    offer: Option<Json<ReservationJson>>,
    tickets: Option<Json<Vec<TicketJson>>>,
    attempt: i32,
    wake_at: Option<Timestamp>,
    stuck: Option<String>,
    updated_at: Timestamp,
    event_version: i64,
    #[sqlx(flatten)]
    event: EventRow,
}

/// The event as it is now; `None` throughout if nothing is known of it.
#[derive(FromRow)]
struct EventRow {
    now_version: Option<i64>,
    title: Option<String>,
    venue: Option<String>,
    starts_at: Option<Timestamp>,
    time_zone: Option<String>,
    shown_version: Option<i64>,
    refundable_until: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    cancel_reason: Option<String>,
}

impl EventRow {
    fn current(self) -> Option<Arc<CurrentEvent>> {
        let (version, shown_since) = (self.now_version?, self.shown_version?);
        let details = match (self.title, self.venue, self.starts_at, self.time_zone) {
            (Some(title), Some(venue), Some(starts_at), Some(time_zone)) => Some(EventDetails {
                event: EventSnapshot { version, title, venue, starts_at, time_zone },
                shown_since,
                refundable_until: self.refundable_until,
                ends_at: self.ends_at,
            }),
            _ => None,
        };
        Some(Arc::new(CurrentEvent { details, cancel_reason: self.cancel_reason }))
    }
}

impl BookingRow {
    fn parsed(self) -> Option<Booking> {
        let reservation = self.offer.map(|Json(offer)| Arc::new(offer.reservation()));
        let reason = self.reason.as_deref();
        let cause = || Cause::ALL.into_iter().find(|cause| Some(cause.as_str()) == reason);
        let rejected = || RejectReason::ALL.into_iter().find(|why| Some(why.as_str()) == reason);
        let tickets = self.tickets.map(|Json(tickets)| tickets.into_iter().map(TicketJson::ticket));
        let (released, refunded) = (self.released, self.refunded);
        let stage = match self.stage.as_str() {
            "reserving" => Stage::Reserving,
            "awaiting" => Stage::Awaiting { reservation: reservation?, payable: self.payable },
            "cancelling" => Stage::Cancelling { reservation: reservation?, cause: cause()? },
            "confirming" => Stage::Confirming { reservation: reservation? },
            "confirmed" => {
                Stage::Confirmed { reservation: reservation?, tickets: tickets?.collect() }
            }
            "releasing" => Stage::Releasing { reservation, cause: cause()? },
            "refunding" => {
                Stage::Refunding { reservation: reservation?, cause: cause()?, released, refunded }
            }
            "rejected" => Stage::Rejected { reason: rejected()? },
            "cancelled" => Stage::Cancelled { reservation, cause: cause()?, refunded },
            _ => return None,
        };
        let expected_total = match (self.expected_amount, self.expected_currency) {
            (Some(amount), Some(currency)) => Some(Money::new(amount, currency.parse().ok()?)),
            _ => None,
        };
        let attempt = self.attempt.try_into().ok()?;
        Some(Booking {
            order: Arc::new(Order {
                id: BookingId(self.id),
                buyer: UserId(self.user_id),
                event_id: EventId(self.event_id),
                items: Items::new(self.items.0.into_iter().map(ItemJson::item).collect()).ok()?,
                expected_total,
                created_at: self.created_at,
                pay_by: self.pay_by,
            }),
            version: self.version,
            stage,
            next_resend: self.wake_at.map(|at| NextResend { attempt, at }),
            stuck: match self.stuck.as_deref() {
                None => None,
                Some(text) => Some(Stuck::ALL.into_iter().find(|stuck| stuck.as_str() == text)?),
            },
            updated_at: self.updated_at,
            event: self.event.current(),
            event_version: self.event_version,
        })
    }
}

/// The columns that change.
#[derive(Default)]
pub(super) struct States {
    pub(super) id: Vec<Uuid>,
    pub(super) version: Vec<i64>,
    pub(super) stage: Vec<&'static str>,
    pub(super) reason: Vec<Option<&'static str>>,
    pub(super) payable: Vec<bool>,
    pub(super) released: Vec<bool>,
    pub(super) refunded: Vec<bool>,
    pub(super) offer: Vec<Option<String>>,
    pub(super) tickets: Vec<Option<String>>,
    pub(super) attempt: Vec<i32>,
    pub(super) wake_at: Vec<Option<Timestamp>>,
    pub(super) due_at: Vec<Option<Timestamp>>,
    pub(super) stuck: Vec<Option<&'static str>>,
    pub(super) updated_at: Vec<Timestamp>,
    pub(super) event_version: Vec<i64>,
}

impl States {
    pub(super) fn push(&mut self, change: &Change) {
        let after = &change.after;
        let (released, refunded) = match after.stage {
            Stage::Refunding { released, refunded, .. } => (released, refunded),
            Stage::Cancelled { refunded, .. } => (false, refunded),
            _ => (false, false),
        };
        // The statement keeps what is stored.
        let is_stored = change.before.as_ref().and_then(Booking::reservation).is_some();
        let reservation = after.reservation().filter(|_| !is_stored);
        let is_confirmed = |booking: &Booking| matches!(booking.stage, Stage::Confirmed { .. });
        let tickets = match &after.stage {
            Stage::Confirmed { tickets, .. }
                if !change.before.as_ref().is_some_and(is_confirmed) =>
            {
                Some(tickets_json(tickets))
            }
            _ => None,
        };
        self.id.push(after.order.id.0);
        self.version.push(after.version);
        self.stage.push(after.stage.name());
        self.reason.push(after.reason());
        self.payable.push(matches!(after.stage, Stage::Awaiting { payable: true, .. }));
        self.released.push(released);
        self.refunded.push(refunded);
        self.offer.push(reservation.map(reservation_json));
        self.tickets.push(tickets);
        self.attempt.push(attempt(after));
        self.wake_at.push(after.next_resend.map(|resend| resend.at));
        self.due_at.push(after.due_at());
        self.stuck.push(after.stuck.map(Stuck::as_str));
        self.updated_at.push(after.updated_at);
        self.event_version.push(after.event_version);
    }
}

/// How often the pending commands were sent; 0 if there are none.
pub(super) fn attempt(booking: &Booking) -> i32 {
    booking.next_resend.map_or(0, |resend| resend.attempt.try_into().unwrap_or(i32::MAX))
}

/// The columns that never change.
#[derive(Default)]
pub(super) struct Orders {
    pub(super) user_id: Vec<Uuid>,
    pub(super) event_id: Vec<Uuid>,
    pub(super) items: Vec<String>,
    pub(super) expected_amount: Vec<Option<i64>>,
    pub(super) expected_currency: Vec<Option<&'static str>>,
    pub(super) created_at: Vec<Timestamp>,
    pub(super) pay_by: Vec<Timestamp>,
}

impl Orders {
    pub(super) fn push(&mut self, booking: &Booking) {
        let order = &booking.order;
        self.user_id.push(order.buyer.0);
        self.event_id.push(order.event_id.0);
        self.items.push(items_json(&order.items));
        self.expected_amount.push(order.expected_total.map(|total| total.amount));
        self.expected_currency.push(order.expected_total.map(|total| total.currency.as_str()));
        self.created_at.push(order.created_at);
        self.pay_by.push(order.pay_by);
    }
}

/// The columns of events that are edited.
#[derive(Default)]
pub(super) struct Events {
    pub(super) event_id: Vec<Uuid>,
    pub(super) organiser_id: Vec<Uuid>,
    pub(super) version: Vec<i64>,
    pub(super) title: Vec<String>,
    pub(super) venue: Vec<String>,
    pub(super) starts_at: Vec<Timestamp>,
    pub(super) time_zone: Vec<String>,
    pub(super) refundable_until: Vec<Option<Timestamp>>,
    pub(super) ends_at: Vec<Option<Timestamp>>,
}

impl Events {
    pub(super) fn push(&mut self, edit: &EventEdit) {
        self.event_id.push(edit.event_id.0);
        self.organiser_id.push(edit.organiser.0);
        self.version.push(edit.event.version);
        self.title.push(edit.event.title.clone());
        self.venue.push(edit.event.venue.clone());
        self.starts_at.push(edit.event.starts_at);
        self.time_zone.push(edit.event.time_zone.clone());
        self.refundable_until.push(edit.refundable_until);
        self.ends_at.push(edit.ends_at);
    }
}
