//! Payments as they were loaded and as jobs change them, until one commit stores them all.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    marker::PhantomData,
};

use async_trait::async_trait;
use karcis_database::{
    Decider, KeyUse, PrivilegedAct, RequestKey, StoreError, UnreadableRow, decide_and_commit,
    decide_batch, decide_each,
};
use karcis_kernel::{BookingId, Timestamp};

use super::ports::{Change, Payments};
use crate::domain::{AttemptId, Fact, Payment, PaymentRecord, Verdict};

/// Something to decide about one booking's payment.
pub(super) trait PaymentJob: Sync {
    type Output: Send;
    type Error: From<StoreError> + Send;

    fn booking_id(&self) -> BookingId;

    /// The payment as last seen, which spares the first load.
    fn seen(&self) -> Option<&Payment> {
        None
    }

    /// The idempotency key it was asked for under, with the time it is asked now.
    fn key(&self) -> Option<(&RequestKey, Timestamp)> {
        None
    }

    fn decide(&self, unit: &mut UnitOfWork) -> Result<Self::Output, Self::Error>;
}

/// Decides the jobs in their order and stores what changes; one output each, `None` for a job whose payment
/// others have locked.
pub(super) async fn decide<J: PaymentJob>(
    payments: &dyn Payments,
    jobs: &[J],
) -> Result<Vec<Option<J::Output>>, J::Error> {
    decide_batch(&PaymentDecider { payments, job: PhantomData }, jobs).await
}

/// The same for jobs that wait for nobody: one that the store rejects does not stop the others. The
/// first error is returned after all were tried.
pub(super) async fn decide_all<J: PaymentJob<Error = StoreError>>(
    payments: &dyn Payments,
    jobs: &[J],
) -> (Vec<J::Output>, Option<StoreError>) {
    let (mut outputs, mut failure) = (Vec::with_capacity(jobs.len()), None);
    for output in decide_each(&PaymentDecider { payments, job: PhantomData }, jobs).await {
        match output {
            Ok(output) => outputs.push(output),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    (outputs, failure)
}

/// Decides one job, which a request waits for, and stores what it changes.
pub(super) async fn decide_one<J: PaymentJob>(
    payments: &dyn Payments,
    job: J,
) -> Result<J::Output, J::Error> {
    let decider = PaymentDecider { payments, job: PhantomData };
    let output = decide_and_commit(&decider, &[job]).await?.pop();
    output.ok_or_else(|| StoreError::unavailable("the job has no output").into())
}

struct PaymentDecider<'a, J> {
    payments: &'a dyn Payments,
    job: PhantomData<fn(J)>,
}

#[async_trait]
impl<J: PaymentJob> Decider for PaymentDecider<'_, J> {
    type Job = J;
    type Key = BookingId;
    type UnitOfWork = UnitOfWork;
    type Output = J::Output;
    type Error = J::Error;

    fn key(&self, job: &J) -> BookingId {
        job.booking_id()
    }

    async fn load(&self, jobs: &[&J], round: u32) -> Result<UnitOfWork, StoreError> {
        let mut unit = UnitOfWork::default();
        let mut unseen = Vec::new();
        for job in jobs {
            match job.seen().filter(|_| round == 0) {
                Some(payment) => {
                    let record = PaymentRecord::Payment(payment.clone());
                    unit.loaded.insert(payment.booking_id, record);
                }
                None => unseen.push(job.booking_id()),
            }
        }
        unit.load(self.payments, unseen).await?;
        unit.load_keys(self.payments, jobs).await?;
        Ok(unit)
    }

    fn decide(&self, unit: &mut UnitOfWork, job: &J) -> Result<J::Output, J::Error> {
        if let Some(unreadable) = unit.unreadable.get(&job.booking_id()) {
            return Err(StoreError::from(unreadable.clone()).into());
        }
        job.decide(unit)
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<BookingId>, StoreError> {
        if unit.changes.is_empty() {
            return Ok(HashSet::new());
        }
        self.payments.commit(unit.changes.into_values().collect()).await
    }
}

/// Payments and keys as they were loaded, and what the jobs so far have changed.
#[derive(Default)]
pub(super) struct UnitOfWork {
    loaded: HashMap<BookingId, PaymentRecord>,
    unreadable: HashMap<BookingId, UnreadableRow>,
    keys: HashMap<RequestKey, KeyUse>,
    changes: BTreeMap<BookingId, Change>,
}

impl UnitOfWork {
    /// The booking's record, as decided so far.
    pub(super) fn record(&self, booking: BookingId) -> Option<&PaymentRecord> {
        let changed = self.changes.get(&booking).map(|change| &change.after);
        changed.or_else(|| self.loaded.get(&booking))
    }

    /// The booking's payment, as decided so far.
    pub(super) fn payment(&self, booking: BookingId) -> Option<&Payment> {
        self.record(booking).and_then(PaymentRecord::payment)
    }

    /// What the key was used for.
    pub(super) fn key_use(&self, key: &RequestKey) -> Option<&KeyUse> {
        self.keys.get(key)
    }

    /// Applies what was decided about the booking.
    pub(super) fn apply(&mut self, booking: BookingId, verdict: Verdict) {
        match verdict {
            Verdict::Changed(after, fact) => self.change(*after, fact),
            Verdict::Answered(fact) => {
                if let Some(record) = self.record(booking).cloned() {
                    self.change(record, Some(fact));
                }
            }
            Verdict::Unchanged | Verdict::Alert => {}
        }
    }

    /// The record becomes `after`, and `fact` is published.
    pub(super) fn change(&mut self, after: PaymentRecord, fact: Option<Fact>) {
        let booking = after.booking_id();
        let before = self.loaded.get(&booking);
        let change = self.changes.entry(booking).or_insert_with(|| Change {
            before: before.cloned(),
            after: after.clone(),
            facts: Vec::new(),
            keys: Vec::new(),
            act: None,
        });
        change.after = after;
        change.facts.extend(fact);
    }

    /// The booking's change is what this act did.
    pub(super) fn record_act(&mut self, booking: BookingId, act: &PrivilegedAct) {
        if let Some(change) = self.changes.get_mut(&booking) {
            change.act = Some(act.clone());
        }
    }

    /// The payment becomes `after`, and the key is used up with that.
    pub(super) fn use_key(&mut self, after: Payment, key: KeyUse) {
        let booking = after.booking_id;
        self.change(PaymentRecord::Payment(after), None);
        self.keys.insert(key.key.clone(), key.clone());
        if let Some(change) = self.changes.get_mut(&booking) {
            change.keys.push(key);
        }
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
        let records = payments.load(&bookings).await?;
        self.loaded.extend(records.found.into_iter().map(|record| (record.booking_id(), record)));
        self.unreadable.extend(records.unreadable.into_iter().map(|row| (BookingId(row.id), row)));
        Ok(())
    }

    /// Reads the keys after the payments, so that an attempt that is loaded has its key. A key that
    /// was used in between names an attempt that its payment does not have yet: that payment is
    /// loaded again.
    async fn load_keys<J: PaymentJob>(
        &mut self,
        payments: &dyn Payments,
        jobs: &[&J],
    ) -> Result<(), StoreError> {
        let asked: Vec<_> = jobs.iter().filter_map(|job| job.key()).collect();
        let Some(earliest) = asked.iter().map(|(_, at)| *at).min() else { return Ok(()) };
        let keys: Vec<RequestKey> = asked.into_iter().map(|(key, _)| key.clone()).collect();
        let used = payments.key_uses(&keys, earliest).await?;
        self.keys.extend(used.into_iter().map(|used| (used.key.clone(), used)));
        let is_stale = |job: &&&J| {
            let used = job.key().and_then(|(key, _)| self.key_use(key)?.subject);
            let payment = self.payment(job.booking_id());
            used.is_some_and(|id| {
                payment.is_some_and(|payment| payment.attempt(AttemptId(id)).is_none())
            })
        };
        let stale = jobs.iter().filter(is_stale).map(|it| it.booking_id()).collect();
        self.load(payments, stale).await
    }
}
