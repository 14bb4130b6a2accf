//! booking-service's tables, as its `adapters/postgres` reads and writes them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use karcis_booking_service::{
    application::{Change, DueTimer},
    domain::{Booking, Cause, Stage},
};
use karcis_database::{KEY_LIFETIME, KeyUse, RequestKey};
use karcis_kernel::{BookingId, Bug, EventId, Timestamp, UserId};

use super::known_events::{KnownEvents, Open};
use crate::seeded::messages::{self, Message};

/// How long a claimed timer is left to who claimed it.
const CLAIM: std::time::Duration = std::time::Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct BookingRows {
    bookings: BTreeMap<BookingId, Booking>,
    claimed_until: HashMap<BookingId, Timestamp>,
    keys: HashMap<RequestKey, KeyUse>,
    timers: BTreeSet<(Timestamp, BookingId)>,
    of_event: BTreeMap<EventId, Vec<BookingId>>,
    of_buyer: BTreeMap<UserId, Vec<BookingId>>,
    pub(crate) known: KnownEvents,
}

impl BookingRows {
    pub(crate) fn get(&self, id: BookingId) -> Option<&Booking> {
        self.bookings.get(&id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Booking> {
        self.bookings.values()
    }

    /// `load.rs`.
    pub(crate) fn load(&self, ids: &[BookingId]) -> Vec<Booking> {
        let found = ids.iter().filter_map(|id| self.bookings.get(id));
        let with_event = |booking: &Booking| {
            let event = self.known.current(booking.order.event_id);
            Booking { event, ..booking.clone() }
        };
        found.map(with_event).collect()
    }

    /// `commit.rs`: writes what is as it was loaded, and returns the rest. `is_locked` says which rows another
    /// transaction has.
    pub(crate) fn commit(
        &mut self,
        changes: Vec<Change>,
        mut is_locked: impl FnMut(BookingId) -> bool,
    ) -> (Vec<Change>, HashSet<BookingId>) {
        let (mut written, mut conflicts) = (vec![], HashSet::new());
        for change in changes {
            let id = change.id();
            let stored = self.bookings.get(&id);
            let is_free = match (&change.before, stored) {
                (None, stored) => {
                    stored.is_none() && change.key.as_ref().is_none_or(|key| self.is_free(key))
                }
                (Some(before), Some(stored)) => {
                    let is_seen = seen(before) == seen(stored);
                    (is_seen || Bug::VersionCheckSkipped.is_planted()) && !is_locked(id)
                }
                (Some(_), None) => false,
            };
            if is_free {
                self.write(&change);
                written.push(change);
            } else {
                conflicts.insert(id);
            }
        }
        (written, conflicts)
    }

    fn is_free(&self, key: &KeyUse) -> bool {
        self.keys.get(&key.key).is_none_or(|used| used.used_at + KEY_LIFETIME <= key.used_at)
    }

    fn write(&mut self, change: &Change) {
        let (id, order) = (change.id(), &change.after.order);
        if let Some(key) = &change.key {
            self.keys.insert(key.key.clone(), key.clone());
        }
        if let Some(timer) = self.bookings.get(&id).and_then(timer) {
            self.timers.remove(&timer);
        }
        self.timers.extend(timer(&change.after));
        self.claimed_until.remove(&id);
        // The event has a table of its own.
        let stored = Booking { event: None, ..change.after.clone() };
        if self.bookings.insert(id, stored).is_none() {
            self.of_event.entry(order.event_id).or_default().push(id);
            self.of_buyer.entry(order.buyer).or_default().push(id);
        }
    }

    /// `idempotency_keys.rs`.
    pub(crate) fn key_uses(&self, keys: &[RequestKey], now: Timestamp) -> Vec<KeyUse> {
        let uses = keys.iter().filter_map(|key| self.keys.get(key));
        uses.filter(|used| used.used_at > now - KEY_LIFETIME).cloned().collect()
    }

    /// `load.rs`: claims timers by the database's own clock, which shows `now`.
    pub(crate) fn due(
        &mut self,
        at: Timestamp,
        now: Timestamp,
        skipped: &[BookingId],
        limit: u16,
    ) -> Vec<DueTimer> {
        let timers = self.timers.iter().take_while(|(due, _)| *due <= at);
        let is_claimed = |id: &_| {
            let until = self.claimed_until.get(id);
            until.is_some_and(|until| *until > now || Bug::ClaimedForEver.is_planted())
        };
        let ids = timers.map(|(_, id)| *id).filter(|id| !skipped.contains(id) && !is_claimed(id));
        let ids: Vec<BookingId> = ids.take(limit.into()).collect();
        self.claimed_until.extend(ids.iter().map(|id| (*id, now + CLAIM)));
        let due = ids.into_iter().filter_map(|id| self.bookings.get(&id));
        due.map(|booking| DueTimer {
            booking_id: booking.order.id,
            is_deadline: booking.due_at().is_some_and(|due| due <= at),
        })
        .collect()
    }

    /// The timers that are due now, claimed or not.
    pub(crate) fn due_timers(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, BookingId)> {
        self.timers.iter().take_while(move |(due, _)| *due <= now).copied()
    }

    /// Of all open events, the bookings that can take the input now.
    pub(crate) fn untold(&self, why: Open) -> Vec<BookingId> {
        let (mut events, mut found) = (vec![], vec![]);
        while let Some(event) = self.known.next(why, &events) {
            events.push(event.event_id);
            found.extend(self.bookings_of(why, event.event_id, &[], u16::MAX));
        }
        found
    }

    /// When the next timer is due, or the claim of one that is.
    pub(crate) fn next_timer(&self, skipped: &[BookingId]) -> Option<Timestamp> {
        let timers = self.timers.iter().filter(|(_, id)| !skipped.contains(id)).take(50);
        timers
            .map(|(due, id)| self.claimed_until.get(id).map_or(*due, |until| *until.max(due)))
            .min()
    }

    /// Of an open event, the bookings that can take the input now.
    pub(crate) fn bookings_of(
        &self,
        why: Open,
        event: EventId,
        skipped: &[BookingId],
        limit: u16,
    ) -> Vec<BookingId> {
        let shown_since = self.known.shown_since(event);
        let takes = |booking: &Booking| match (why, &booking.stage) {
            (Open::Cancelled, Stage::Cancelling { cause, .. }) => *cause != Cause::EventCancelled,
            (Open::Cancelled, Stage::Reserving) => true,
            (_, Stage::Awaiting { .. } | Stage::Confirming { .. } | Stage::Confirmed { .. }) => {
                why == Open::Cancelled || booking.event_version < shown_since
            }
            _ => false,
        };
        let ids = self.of_event(event).filter(|booking| takes(booking));
        let ids = ids.map(|booking| booking.order.id).filter(|id| !skipped.contains(id));
        ids.take(limit.into()).collect()
    }

    /// Whether a booking has to take the input later.
    pub(crate) fn is_awaited(&self, why: Open, event: EventId, rejected: &[BookingId]) -> bool {
        if why == Open::Cancelled {
            return !self.bookings_of(why, event, rejected, 1).is_empty();
        }
        let shown_since = self.known.shown_since(event);
        let mut awaited = self.of_event(event).filter(|booking| match &booking.stage {
            Stage::Cancelling { cause, .. } => *cause == Cause::Deadline,
            Stage::Reserving | Stage::Awaiting { .. } => true,
            Stage::Confirming { .. } | Stage::Confirmed { .. } => true,
            _ => false,
        });
        awaited.any(|booking| booking.event_version < shown_since)
    }

    fn of_event(&self, event: EventId) -> impl Iterator<Item = &Booking> {
        self.of_event.get(&event).into_iter().flatten().map(|id| &self.bookings[id])
    }

    /// `load.rs`.
    pub(crate) fn unconfirmed_of(
        &self,
        buyer: UserId,
        after: Option<BookingId>,
        limit: u16,
    ) -> Vec<BookingId> {
        let ids = self.of_buyer.get(&buyer).into_iter().flatten().copied();
        let is_unconfirmed = |id: &BookingId| match &self.bookings[id].stage {
            Stage::Reserving | Stage::Awaiting { .. } | Stage::Confirming { .. } => true,
            Stage::Cancelling { cause, .. } => *cause == Cause::Deadline,
            _ => false,
        };
        let mut ids: Vec<_> = ids.filter(|id| Some(*id) > after).filter(is_unconfirmed).collect();
        ids.sort_unstable();
        ids.truncate(limit.into());
        ids
    }
}

/// What tells two states of a booking apart.
fn seen(booking: &Booking) -> (i64, u32) {
    (booking.version, booking.next_resend.map_or(0, |resend| resend.attempt))
}

/// `LEAST(due_at, wake_at)`; `None` where nothing is pending.
fn timer(booking: &Booking) -> Option<(Timestamp, BookingId)> {
    let wake_at = booking.next_resend?.at;
    Some((booking.due_at().map_or(wake_at, |due| due.min(wake_at)), booking.order.id))
}

/// What these changes send.
pub(crate) fn sent(written: &[Change]) -> Vec<Message> {
    written.iter().flat_map(messages::of_booking).collect()
}
