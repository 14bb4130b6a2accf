//! payment-service's tables, as its `adapters/postgres` reads and writes them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use karcis_database::{KEY_LIFETIME, KeyUse, PrivilegedAct, RequestKey};
use karcis_kernel::{BookingId, Bug, Timestamp};
use karcis_payment_service::{
    application::{Change, Claimed, Question, ReleasedClaim, Unsettled},
    domain::{AttemptOutcome, Payment, PaymentRecord, State},
};
use uuid::Uuid;

#[derive(Debug, Default)]
pub(crate) struct PaymentRows {
    records: BTreeMap<BookingId, PaymentRecord>,
    /// Payments that need the provider.
    waiting: BTreeMap<BookingId, Asking>,
    keys: HashMap<RequestKey, KeyUse>,
    answered_processing: HashSet<RequestKey>,
    /// Why the provider gave no definite answer about money that is to go back.
    unanswered: HashMap<BookingId, String>,
    /// What operators did, as it is recorded.
    acts: Vec<PrivilegedAct>,
}

/// When the provider is asked about a payment.
#[derive(Clone, Copy, Debug)]
struct Asking {
    next_try: Timestamp,
    tries: u32,
    /// Somebody is asking until then.
    asking_until: Timestamp,
    look_up: bool,
}

/// For how long who asks the provider has a payment.
const LEASE: Duration = Duration::from_secs(11);
const LONGEST: Duration = Duration::from_secs(5 * 60);

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
        now: Timestamp,
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
                self.write(&change, now);
            }
            self.acts.extend(change.act.clone());
            written.push(change);
        }
        (written, conflicts)
    }

    fn is_free(&self, key: &KeyUse) -> bool {
        self.keys.get(&key.key).is_none_or(|used| used.used_at + KEY_LIFETIME <= key.used_at)
    }

    /// `now` is the database's time.
    fn write(&mut self, change: &Change, now: Timestamp) {
        let booking = change.after.booking_id();
        self.records.insert(booking, change.after.clone());
        let known = self.waiting.remove(&booking);
        let needs = change.after.payment().is_some_and(Payment::needs_provider);
        let due = Asking { next_try: now, tries: 0, asking_until: now, look_up: false };
        let look_up = known.is_some_and(|it| it.look_up);
        let asking = match change.question() {
            Some(Question::Started) => {
                Asking { next_try: now + LEASE, asking_until: now + LEASE, look_up, ..due }
            }
            Some(Question::Due | Question::Answered) => Asking { look_up, ..due },
            Some(Question::LookUp) => Asking { look_up: true, ..due },
            None => known.unwrap_or(due),
        };
        if needs || asking.look_up {
            self.waiting.insert(booking, asking);
        }
    }

    pub(crate) fn was_answered_processing(&self, key: &RequestKey) -> bool {
        self.answered_processing.contains(key)
    }

    pub(crate) fn mark_answered_processing(&mut self, key: &RequestKey) {
        self.answered_processing.insert(key.clone());
    }

    /// `load.rs`, where the database's clock shows `now`.
    pub(crate) fn claim(&mut self, limit: u16, now: Timestamp) -> Vec<Claimed> {
        let due = self.waiting.iter_mut();
        let mut due: Vec<_> =
            due.filter(|(_, it)| it.next_try <= now && it.asking_until <= now).collect();
        due.sort_by_key(|(_, it)| it.next_try);
        due.truncate(limit.into());
        let mut claimed = vec![];
        for (booking, asking) in due {
            (asking.next_try, asking.asking_until) = (now + LEASE, now + LEASE);
            if let Some(PaymentRecord::Payment(payment)) = self.records.get(booking) {
                let (until, look_up) = (asking.asking_until, asking.look_up);
                claimed.push(Claimed { payment: payment.clone(), until, look_up });
            }
        }
        claimed
    }

    pub(crate) fn release(&mut self, claims: &[ReleasedClaim], now: Timestamp) {
        for claim in claims {
            let payment = self.payment(claim.booking_id);
            let is_same = payment.is_some_and(|payment| payment.version == claim.version);
            let has_action = payment.is_some_and(|payment| payment.next_action().is_some());
            let needs = payment.is_some_and(Payment::needs_provider);
            let Some(asking) = self.waiting.get_mut(&claim.booking_id).filter(|_| is_same) else {
                continue;
            };
            match &claim.unanswered {
                Some(why) => self.unanswered.insert(claim.booking_id, why.clone()),
                None => self.unanswered.remove(&claim.booking_id),
            };
            let is_looked_up = claim.looked_up == Some(asking.asking_until);
            asking.asking_until = now + Duration::from_secs(1);
            if asking.next_try > now {
                let first = if has_action { 30 } else { 1 };
                let wait = Duration::from_secs(first << asking.tries.min(9)).min(LONGEST);
                (asking.next_try, asking.tries) = (now + wait, asking.tries + 1);
                asking.look_up &= !is_looked_up;
            }
            if !needs && !asking.look_up {
                self.waiting.remove(&claim.booking_id);
            }
        }
    }

    pub(crate) fn ask_soon(&mut self, booking: BookingId, look_up: bool, now: Timestamp) -> bool {
        let has_attempt = self.payment(booking).is_some_and(|it| !it.attempts.is_empty());
        let due = Asking { next_try: now, tries: 0, asking_until: now, look_up };
        if has_attempt && look_up {
            self.waiting.entry(booking).or_insert(due).look_up = true;
        }
        if let Some(asking) = self.waiting.get_mut(&booking) {
            asking.next_try = asking.next_try.min(now);
        }
        has_attempt
    }

    /// `queries.rs`: what began before this time and is open now.
    pub(crate) fn unsettled(
        &self,
        before: Timestamp,
        now: Timestamp,
        after: Option<(BookingId, Uuid)>,
        limit: u16,
    ) -> Vec<Unsettled> {
        let payments = self.records.values().rev().filter_map(PaymentRecord::payment);
        let open = payments.flat_map(|payment| self.open(payment, before, now));
        let key = |it: &Unsettled| (it.booking_id, it.attempt_id);
        let open = open.filter(|it| after.is_none_or(|after| key(it) < after));
        open.take(limit.into()).collect()
    }

    /// What of this payment is open, the newest first.
    fn open(&self, payment: &Payment, before: Timestamp, now: Timestamp) -> Vec<Unsettled> {
        let id = payment.booking_id;
        let cancel_wanted = matches!(payment.state, State::Processing { cancel_wanted: true, .. });
        let tries = self.waiting.get(&id).map_or(0, |asking| asking.tries);
        let unanswered = self.unanswered.get(&id);
        let open = |what, attempt_id, at, refusal| Unsettled {
            booking_id: id,
            user_id: payment.terms.user_id(),
            amount: payment.terms.amount(),
            what,
            attempt_id,
            at,
            cancel_wanted,
            refusal,
        };
        let refused = |what, attempt_id, refusal: &Option<String>| {
            let is_open = refusal.is_some() || unanswered.is_some() && tries > 1;
            let refusal = refusal.clone().or_else(|| unanswered.cloned());
            is_open.then(|| open(what, attempt_id, None, refusal))
        };
        let mut attempts: Vec<_> = payment.attempts.iter().collect();
        attempts.sort_by_key(|attempt| std::cmp::Reverse(attempt.id));
        let attempts = attempts.into_iter().filter_map(|attempt| match &attempt.outcome {
            None => {
                let action = attempt.next_action.as_ref();
                let is_open = action.is_none_or(|it| it.expires_at <= now) || cancel_wanted;
                let is_old = attempt.at <= before;
                (is_open && is_old).then(|| open("attempt", attempt.id.0, Some(attempt.at), None))
            }
            Some(AttemptOutcome::Reversing { refusal }) => {
                let reversal = refused("reversal", attempt.id.0, refusal)?;
                Some(Unsettled { at: Some(attempt.at), ..reversal })
            }
            Some(_) => None,
        });
        let refund = match &payment.state {
            State::Refunding { refusal } => refused("refund", Uuid::nil(), refusal),
            _ => None,
        };
        attempts.chain(refund).collect()
    }

    /// `load.rs`.
    pub(crate) fn hold(&mut self, booking: BookingId, now: Timestamp) -> Option<bool> {
        self.payment(booking)?;
        if let Some(asking) = self.waiting.get_mut(&booking) {
            if asking.asking_until > now {
                return None;
            }
            (asking.next_try, asking.asking_until) = (now + LEASE, now + LEASE);
        }
        Some(self.unanswered.contains_key(&booking))
    }

    /// How often this very act is recorded.
    pub(crate) fn recorded(&self, act: &PrivilegedAct) -> usize {
        self.acts.iter().filter(|recorded| *recorded == act).count()
    }

    /// A payment about whose ended attempts the provider is to be asked.
    pub(crate) fn looked_up(&self) -> Option<BookingId> {
        self.waiting.iter().find(|(_, asking)| asking.look_up).map(|(booking, _)| *booking)
    }

    /// The payments that the provider is to be asked about now.
    pub(crate) fn due(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, BookingId)> {
        let next = |it: &Asking| it.next_try.max(it.asking_until);
        let waiting = self.waiting.iter().map(move |(id, it)| (next(it), *id));
        waiting.filter(move |(next, _)| *next <= now)
    }

    /// When the provider is to be asked next.
    pub(crate) fn next_try(&self) -> Option<Timestamp> {
        self.waiting.values().map(|it| it.next_try.max(it.asking_until)).min()
    }
}

/// A tombstone never changes.
fn version(record: &PaymentRecord) -> i64 {
    record.payment().map_or(1, |payment| payment.version)
}
