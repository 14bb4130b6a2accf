//! Changes as columns, for statements that write many rows.

use std::time::Duration;

use karcis_kernel::Timestamp;
use uuid::Uuid;

use super::row::{items_json, offer_json, tickets_json};
use crate::{
    application::Change,
    domain::{Booking, LogEntry, Stage, Stuck},
};

/// The resend the domain starts with, which a deployment may set otherwise.
const DOMAIN_RESEND_AFTER: Duration = Duration::from_secs(5);

/// How much later than the domain says a resend happens: in this deployment's proportion, and up
/// to a fifth more at random, so that what failed together is not tried again together.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    scale: f64,
}

impl Pace {
    pub(super) fn new(resend_after: Duration) -> Self {
        Self { scale: resend_after.as_secs_f64() / DOMAIN_RESEND_AFTER.as_secs_f64() }
    }

    /// When this change's resend is due. One that did not change is left as it was stored.
    fn wake_at(self, change: &Change, now: Timestamp) -> Option<Timestamp> {
        let resend = change.after.resend?;
        if change.before.as_ref().is_some_and(|before| before.resend == change.after.resend) {
            return Some(resend.wake_at);
        }
        let jitter = 1.0 + rand::random::<f64>() / 5.0;
        let delay_us = (resend.wake_at - now).num_microseconds().unwrap_or_default() as f64;
        let stretched_us = (delay_us * self.scale * jitter) as i64;
        Some(now + chrono::TimeDelta::microseconds(stretched_us))
    }
}

/// What changes of a booking.
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
    pub(super) fn push(&mut self, change: &Change, pace: Pace, now: Timestamp) {
        let after = &change.after;
        let (released, refunded) = match after.stage {
            Stage::Refunding { released, refunded, .. } => (released, refunded),
            Stage::Cancelled { refunded, .. } => (false, refunded),
            _ => (false, false),
        };
        // What is stored already is not sent again.
        let stored = change.before.as_ref().and_then(Booking::offer).is_some();
        let offer = after.offer().filter(|_| !stored);
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
        self.offer.push(offer.map(offer_json));
        self.tickets.push(tickets);
        self.attempt.push(attempt(after));
        self.wake_at.push(pace.wake_at(change, now));
        self.due_at.push(after.due_at());
        self.stuck.push(after.stuck.map(Stuck::as_str));
        self.updated_at.push(after.updated_at);
    }
}

/// How often the pending commands were sent; 0 if there are none.
pub(super) fn attempt(booking: &Booking) -> i32 {
    booking.resend.map_or(0, |resend| resend.attempt.try_into().unwrap_or(i32::MAX))
}

/// What never changes of a booking.
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

/// New entries of saga logs.
#[derive(Default)]
pub(super) struct Logs {
    pub(super) booking_id: Vec<Uuid>,
    pub(super) seq: Vec<i64>,
    pub(super) at: Vec<Timestamp>,
    pub(super) input: Vec<&'static str>,
    pub(super) from: Vec<Option<&'static str>>,
    pub(super) to: Vec<&'static str>,
    pub(super) sent: Vec<String>,
}

impl Logs {
    pub(super) fn push(&mut self, id: Uuid, entry: &LogEntry) {
        self.booking_id.push(id);
        self.seq.push(entry.seq);
        self.at.push(entry.at);
        self.input.push(entry.input);
        self.from.push(entry.from);
        self.to.push(entry.to);
        self.sent.push(entry.sent.join(" "));
    }
}
