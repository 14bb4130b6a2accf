//! The same payments for HTTP: what many buyers ask for at once shares a statement or a transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use karcis_database::{BatchLimits, Batcher, KeyUse, RequestKey, StoreError};
use karcis_kernel::{BookingId, Timestamp};

use super::{EncodedChange, PgPayments};
use crate::{
    application::ports::{Change, Payments, Waiting},
    domain::{Payment, PaymentRecord},
};

const LIMITS: BatchLimits = BatchLimits { capacity: 8_192, group: 512 };

/// Payments whose reads and writes are those of a group.
pub(crate) struct BatchedPayments {
    payments: Arc<PgPayments>,
    loads: Batcher<Vec<BookingId>, Vec<PaymentRecord>>,
    keys: Batcher<(Vec<RequestKey>, Timestamp), Vec<KeyUse>>,
    commits: Batcher<Vec<EncodedChange>, HashSet<BookingId>>,
}

impl BatchedPayments {
    /// Starts a batcher for each of the two reads and for the commits.
    pub(crate) fn new(payments: Arc<PgPayments>) -> Self {
        let [loads, keys, commits] = [(); 3].map(|()| payments.clone());
        Self {
            payments,
            loads: Batcher::start(LIMITS, move |jobs| load_group(loads.clone(), jobs)),
            keys: Batcher::start(LIMITS, move |jobs| keys_group(keys.clone(), jobs)),
            commits: Batcher::start(LIMITS, move |jobs| commit_group(commits.clone(), jobs)),
        }
    }
}

#[async_trait]
impl Payments for BatchedPayments {
    async fn load(&self, bookings: &[BookingId]) -> Result<Vec<PaymentRecord>, StoreError> {
        self.loads.submit(bookings.to_vec()).await
    }

    async fn keys(&self, keys: &[RequestKey], now: Timestamp) -> Result<Vec<KeyUse>, StoreError> {
        self.keys.submit((keys.to_vec(), now)).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        // In the requester's task, whose trace the messages carry.
        self.commits.submit(self.payments.encode(changes)).await
    }

    async fn answered_processing(&self, key: &RequestKey) -> Result<bool, StoreError> {
        self.payments.answered_processing(key).await
    }

    async fn mark_answered_processing(&self, key: &RequestKey) -> Result<(), StoreError> {
        self.payments.mark_answered_processing(key).await
    }

    async fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: i64,
    ) -> Result<Vec<Payment>, StoreError> {
        self.payments.waiting(what, after, limit).await
    }
}

async fn load_group(
    payments: Arc<PgPayments>,
    jobs: Vec<Vec<BookingId>>,
) -> Result<Vec<Vec<PaymentRecord>>, StoreError> {
    let mut bookings = jobs.concat();
    bookings.sort_unstable();
    bookings.dedup();
    let records = payments.load(&bookings).await?.into_iter();
    let records: HashMap<_, _> = records.map(|record| (record.booking_id(), record)).collect();
    let of_job = |job: Vec<BookingId>| {
        job.iter().filter_map(|booking| records.get(booking).cloned()).collect()
    };
    Ok(jobs.into_iter().map(of_job).collect())
}

async fn keys_group(
    payments: Arc<PgPayments>,
    jobs: Vec<(Vec<RequestKey>, Timestamp)>,
) -> Result<Vec<Vec<KeyUse>>, StoreError> {
    let Some(earliest) = jobs.iter().map(|(_, now)| *now).min() else { return Ok(Vec::new()) };
    let mut keys: Vec<RequestKey> = jobs.iter().flat_map(|(keys, _)| keys.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let uses = payments.keys(&keys, earliest).await?.into_iter();
    let uses: HashMap<_, _> = uses.map(|key_use| (key_use.key.clone(), key_use)).collect();
    let of_job = |(keys, _): (Vec<RequestKey>, _)| {
        keys.iter().filter_map(|key| uses.get(key).cloned()).collect()
    };
    Ok(jobs.into_iter().map(of_job).collect())
}

/// Commits the first change of each payment; the later ones are conflicts.
async fn commit_group(
    payments: Arc<PgPayments>,
    jobs: Vec<Vec<EncodedChange>>,
) -> Result<Vec<HashSet<BookingId>>, StoreError> {
    let mut job_of: HashMap<BookingId, usize> = HashMap::new();
    let mut group = Vec::new();
    let mut outputs: Vec<HashSet<BookingId>> = Vec::new();
    for (job, changes) in jobs.into_iter().enumerate() {
        let is_first = |it: &EncodedChange| *job_of.entry(it.booking_id()).or_insert(job) == job;
        let (first, later): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_first);
        group.extend(first);
        outputs.push(later.iter().map(EncodedChange::booking_id).collect());
    }
    for booking in payments.commit_encoded(group).await? {
        if let Some(conflicts) = job_of.get(&booking).and_then(|job| outputs.get_mut(*job)) {
            conflicts.insert(booking);
        }
    }
    Ok(outputs)
}
