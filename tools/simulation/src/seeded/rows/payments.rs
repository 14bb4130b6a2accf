//! payment-service's tables, as its `adapters/postgres` reads and writes them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use karcis_database::{KEY_LIFETIME, KeyUse, RequestKey};
use karcis_kernel::{BookingId, Bug, Timestamp};
use karcis_payment_service::{
    application::{Change, Page, Waiting},
    domain::{Payment, PaymentRecord, State, due_refunds},
};

#[derive(Debug, Default)]
pub(crate) struct PaymentRows {
    records: BTreeMap<BookingId, PaymentRecord>,
    /// Payments with an attempt that has no outcome.
    unresolved: BTreeSet<BookingId>,
    /// Payments with money that is to go back.
    refunds: BTreeSet<BookingId>,
    keys: HashMap<RequestKey, KeyUse>,
    answered_processing: HashSet<RequestKey>,
}

impl PaymentRows {
    pub(crate) fn get(&self, booking: BookingId) -> Option<&PaymentRecord> {
        self.records.get(&booking)
    }

    pub(crate) fn payment(&self, booking: BookingId) -> Option<&Payment> {
        self.records.get(&booking)?.payment()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &PaymentRecord> {
        self.records.values()
    }

    /// `load.rs`.
    pub(crate) fn load(&self, bookings: &[BookingId]) -> Vec<PaymentRecord> {
        bookings.iter().filter_map(|id| self.records.get(id).cloned()).collect()
    }

    /// `idempotency_keys.rs`.
    pub(crate) fn key_uses(&self, keys: &[RequestKey], now: Timestamp) -> Vec<KeyUse> {
        let uses = keys.iter().filter_map(|key| self.keys.get(key));
        uses.filter(|used| used.used_at > now - KEY_LIFETIME).cloned().collect()
    }

    /// `commit.rs`: writes what is as it was loaded, and returns the bookings of the rest. `is_locked` says
    /// which rows another transaction has.
    pub(crate) fn commit(
        &mut self,
        changes: Vec<Change>,
        mut is_locked: impl FnMut(BookingId) -> bool,
    ) -> (Vec<Change>, HashSet<BookingId>) {
        let (mut written, mut conflicts) = (vec![], HashSet::new());
        for change in changes {
            let booking = change.after.booking_id();
            let is_changed = change.before.as_ref() != Some(&change.after);
            let stored = self.records.get(&booking);
            let is_free = match (&change.before, stored) {
                _ if !is_changed => true,
                (None, stored) => stored.is_none(),
                (Some(before), Some(stored)) => {
                    let is_seen = version(before) == version(stored);
                    (is_seen || Bug::VersionCheckSkipped.is_planted()) && !is_locked(booking)
                }
                (Some(_), None) => false,
            };
            if !is_free || !change.keys.iter().all(|key| self.is_free(key)) {
                conflicts.insert(booking);
                continue;
            }
            self.keys.extend(change.keys.iter().map(|key| (key.key.clone(), key.clone())));
            if is_changed {
                self.write(&change.after);
            }
            written.push(change);
        }
        (written, conflicts)
    }

    fn is_free(&self, key: &KeyUse) -> bool {
        self.keys.get(&key.key).is_none_or(|used| used.used_at + KEY_LIFETIME <= key.used_at)
    }

    fn write(&mut self, record: &PaymentRecord) {
        let booking = record.booking_id();
        self.records.insert(booking, record.clone());
        let payment = record.payment();
        set(&mut self.unresolved, booking, payment.is_some_and(is_unresolved));
        set(&mut self.refunds, booking, payment.is_some_and(|it| !due_refunds(it).is_empty()));
    }

    pub(crate) fn was_answered_processing(&self, key: &RequestKey) -> bool {
        self.answered_processing.contains(key)
    }

    pub(crate) fn mark_answered_processing(&mut self, key: &RequestKey) {
        self.answered_processing.insert(key.clone());
    }

    /// `load.rs`, where the database's clock shows `now`.
    pub(crate) fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: u16,
        now: Timestamp,
    ) -> Page {
        let from = match what {
            Waiting::Refund => &self.refunds,
            Waiting::Void | Waiting::Outcome { .. } => &self.unresolved,
        };
        let ids = from.iter().filter(|id| after.is_none_or(|after| **id > after));
        let payments = ids.filter_map(|id| self.payment(*id)).filter(|it| waits(it, what, now));
        let payments: Vec<Payment> = payments.take(limit.into()).cloned().collect();
        let last = payments.last().map(|payment| payment.booking_id);
        let next = last.filter(|_| payments.len() == usize::from(limit));
        Page { payments, next }
    }

    pub(crate) fn has_unresolved(&self) -> bool {
        !self.unresolved.is_empty()
    }

    pub(crate) fn has_refunds(&self) -> bool {
        !self.refunds.is_empty()
    }
}

fn waits(payment: &Payment, what: Waiting, now: Timestamp) -> bool {
    let State::Processing { attempt, cancel_wanted } = payment.state else {
        return matches!(what, Waiting::Refund);
    };
    let attempt = payment.attempt(attempt);
    match what {
        Waiting::Refund => true,
        Waiting::Void => cancel_wanted,
        Waiting::Outcome { before, with_actions } => {
            let has_time = |it: &_| -> bool {
                let it: &karcis_payment_service::domain::Attempt = it;
                it.next_action.as_ref().is_some_and(|action| action.expires_at > now)
            };
            !cancel_wanted
                && attempt.is_some_and(|it| it.at < before && (with_actions || !has_time(it)))
        }
    }
}

fn is_unresolved(payment: &Payment) -> bool {
    matches!(payment.state, State::Processing { .. })
}

/// A tombstone never changes.
fn version(record: &PaymentRecord) -> i64 {
    record.payment().map_or(1, |payment| payment.version)
}

fn set<T: Ord>(set: &mut BTreeSet<T>, it: T, is_in: bool) {
    if is_in {
        set.insert(it);
    } else {
        set.remove(&it);
    }
}
