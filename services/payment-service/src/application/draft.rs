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
        let mut draft = load(payments, open.iter().map(|i| &jobs[*i]), round == 0).await?;
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
    Err(StoreError::Unavailable("a payment kept moving while it was decided".to_owned()))
}

async fn load<'a, J: Job + 'a>(
    payments: &dyn Payments,
    jobs: impl Iterator<Item = &'a J> + Send,
    trust_seen: bool,
) -> Result<Draft, StoreError> {
    let (mut loaded, mut unseen, mut keys, mut since) =
        (HashMap::new(), Vec::new(), Vec::new(), None);
    for job in jobs {
        match job.seen().filter(|_| trust_seen) {
            Some(payment) => {
                loaded.insert(payment.booking_id, Entry::Payment(payment.clone()));
            }
            None => unseen.push(job.booking_id()),
        }
        if let Some((key, at)) = job.key() {
            keys.push(key.clone());
            since = Some(since.map_or(at, |earliest: karcis_kernel::Timestamp| earliest.min(at)));
        }
    }
    if !unseen.is_empty() {
        unseen.sort_unstable();
        unseen.dedup();
        let entries = payments.load(&unseen).await?;
        loaded.extend(entries.into_iter().map(|entry| (entry.booking_id(), entry)));
    }
    let keys = match since {
        Some(earliest) => payments.keys(&keys, earliest - KEY_LIFETIME).await?,
        None => Vec::new(),
    };
    let keys = keys.into_iter().map(|used| (used.key.clone(), used)).collect();
    Ok(Draft { loaded, keys, changes: BTreeMap::new() })
}
