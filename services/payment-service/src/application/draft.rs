//! Load, decide in memory in order, commit once, and again for what moved meanwhile.

use std::collections::{BTreeMap, HashMap, HashSet};

use karcis_kernel::BookingId;

use super::ports::{Change, KEY_LIFETIME, KeyUse, Payments, RequestKey, StoreError};
use crate::domain::{Entry, Fact, Payment, Verdict};

/// How often a change is decided again; each time somebody else's change went through.
const ROUNDS: usize = 20;

/// Something to decide about one booking's payment.
pub(super) trait Job: Sync {
    /// The booking.
    fn booking_id(&self) -> BookingId;

    /// The payment as last seen, which spares the first load.
    fn seen(&self) -> Option<&Payment> {
        None
    }

    /// The key it may have been asked for under, with the time it is asked now.
    fn key(&self) -> Option<(&RequestKey, karcis_kernel::Timestamp)> {
        None
    }
}

/// Payments as loaded, and as they become.
pub(super) struct Draft {
    loaded: HashMap<BookingId, Entry>,
    keys: HashMap<RequestKey, KeyUse>,
    changes: BTreeMap<BookingId, Change>,
}

impl Draft {
    /// What is known of the booking, as decided so far.
    pub fn entry(&self, booking: BookingId) -> Option<&Entry> {
        let changed = self.changes.get(&booking).map(|change| &change.after);
        changed.or_else(|| self.loaded.get(&booking))
    }

    /// The booking's payment, as decided so far.
    pub fn payment(&self, booking: BookingId) -> Option<&Payment> {
        self.entry(booking).and_then(Entry::payment)
    }

    /// What the key was used for.
    pub fn key_use(&self, key: &RequestKey) -> Option<&KeyUse> {
        self.keys.get(key)
    }

    async fn load(
        &mut self,
        payments: &dyn Payments,
        mut bookings: Vec<BookingId>,
    ) -> Result<(), StoreError> {
        if bookings.is_empty() {
            return Ok(());
        }
        bookings.sort_unstable();
        bookings.dedup();
        let entries = payments.load(&bookings).await?;
        self.loaded.extend(entries.into_iter().map(|entry| (entry.booking_id(), entry)));
        Ok(())
    }

    /// Notes what was decided about the booking.
    pub fn apply(&mut self, booking: BookingId, verdict: Verdict) {
        match verdict {
            Verdict::Changed(after, fact) => self.change(*after, fact),
            Verdict::Answered(fact) => {
                if let Some(entry) = self.entry(booking).cloned() {
                    self.change(entry, Some(fact));
                }
            }
            Verdict::Unchanged | Verdict::Alert => {}
        }
    }

    /// Notes that the key is used up with the payment's change.
    pub fn use_key(&mut self, payment: Payment, key: KeyUse) {
        let booking = payment.booking_id;
        self.change(Entry::Payment(payment), None);
        self.keys.insert(key.key.clone(), key.clone());
        if let Some(change) = self.changes.get_mut(&booking) {
            change.keys.push(key);
        }
    }

    /// Notes that the payment becomes `after` and `fact` is told.
    pub fn change(&mut self, after: Entry, fact: Option<Fact>) {
        let booking = after.booking_id();
        let before = self.loaded.get(&booking);
        let change = self.changes.entry(booking).or_insert_with(|| Change {
            before: before.cloned(),
            after: after.clone(),
            facts: Vec::new(),
            keys: Vec::new(),
        });
        change.after = after;
        change.facts.extend(fact);
    }
}

/// One answer per job, in their order, all committed.
pub(super) async fn decide<J: Job, A: Send>(
    payments: &dyn Payments,
    jobs: &[J],
    decide: impl Fn(&mut Draft, &J) -> A + Send + Sync,
) -> Result<Vec<A>, StoreError> {
    let mut answers: Vec<Option<A>> = jobs.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..jobs.len()).collect();
    for round in 0..ROUNDS {
        let due: Vec<&J> = open.iter().map(|i| &jobs[*i]).collect();
        let mut draft = load(payments, &due, round == 0).await?;
        for i in &open {
            answers[*i] = Some(decide(&mut draft, &jobs[*i]));
        }
        let changes: Vec<Change> = draft.changes.into_values().collect();
        if !changes.is_empty() {
            let moved: HashSet<BookingId> = payments.commit(changes).await?.into_iter().collect();
            open.retain(|i| moved.contains(&jobs[*i].booking_id()));
        } else {
            open.clear();
        }
        if open.is_empty() {
            return Ok(answers.into_iter().flatten().collect());
        }
    }
    Err(StoreError::unavailable("a payment kept moving while it was decided"))
}

async fn load<J: Job>(
    payments: &dyn Payments,
    jobs: &[&J],
    trust_seen: bool,
) -> Result<Draft, StoreError> {
    let mut draft =
        Draft { loaded: HashMap::new(), keys: HashMap::new(), changes: BTreeMap::new() };
    let mut unseen = Vec::new();
    for job in jobs {
        match job.seen().filter(|_| trust_seen) {
            Some(payment) => {
                draft.loaded.insert(payment.booking_id, Entry::Payment(payment.clone()));
            }
            None => unseen.push(job.booking_id()),
        }
    }
    draft.load(payments, unseen).await?;
    let keys: Vec<RequestKey> = jobs.iter().filter_map(|job| Some(job.key()?.0.clone())).collect();
    let Some(earliest) = jobs.iter().filter_map(|job| Some(job.key()?.1)).min() else {
        return Ok(draft);
    };
    let used = payments.keys(&keys, earliest - KEY_LIFETIME).await?;
    draft.keys.extend(used.into_iter().map(|used| (used.key.clone(), used)));
    // Keys are read after the payments, so that whoever has an attempt has its key. A key used in
    // between names an attempt its payment does not have yet: that payment is loaded again.
    let is_stale = |job: &&&J| {
        let used = job.key().and_then(|(key, _)| draft.key_use(key)?.attempt);
        let payment = draft.payment(job.booking_id());
        used.is_some_and(|id| payment.is_some_and(|payment| payment.attempt(id).is_none()))
    };
    let stale = jobs.iter().filter(is_stale).map(|job| job.booking_id()).collect();
    draft.load(payments, stale).await?;
    Ok(draft)
}
