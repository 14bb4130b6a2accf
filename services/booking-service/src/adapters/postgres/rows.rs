//! Rows of table `booking`, as they are read and as columns for statements that write many.

use std::sync::Arc;

use karcis_database::Loaded;
use karcis_kernel::{BookingId, EventId, Money, Timestamp, UserId};
use sqlx::{FromRow, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::stored_json::{
    ItemJson, ReservationJson, TicketJson, items_json, reservation_json, tickets_json,
};
use crate::{
    application::Change,
    domain::{Booking, Cause, Items, NextResend, Order, RejectReason, Stage, Stuck},
};

/// A query for [`read_bookings`]: all columns of a [`BookingRow`], and the rest of the statement.
macro_rules! select_bookings {
    ($rest:literal) => {
        sqlx::query(concat!(
            "SELECT id, user_id, event_id, items, expected_amount, expected_currency, created_at, \
             pay_by, version, stage, reason, payable, released, refunded, offer, tickets, attempt, \
             wake_at, stuck, updated_at FROM booking ",
            $rest
        ))
    };
}

pub(super) use select_bookings;

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
        let tickets = match &after.stage {
            Stage::Confirmed { tickets, .. } => Some(tickets_json(tickets)),
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
