//! The same payments for HTTP: what many buyers ask for at once shares a statement or a transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use karcis_database::{
    BatchLimits, Batcher, KeyUse, Loaded, RequestKey, StoreError, UnreadableRow,
};
use karcis_kernel::{BookingId, Timestamp};

use super::{PgPayments, commit::EncodedChange};
use crate::{
    application::{Change, Payments, ReleasedClaim},
    domain::PaymentRecord,
};

/// As many requests wait as are served in a few seconds; a group is one transaction of some 10 ms.
const LIMITS: BatchLimits = BatchLimits { capacity: 8_192, group: 512 };

/// [`PgPayments`] for requests that load and change one payment each. Consumer and workers have
/// batches of their own and do not use it.
pub(crate) struct BatchedPayments {
    payments: Arc<PgPayments>,
    loads: Batcher<BookingId, Option<Result<PaymentRecord, UnreadableRow>>>,
    key_uses: Batcher<(RequestKey, Timestamp), Option<KeyUse>>,
    /// The output says whether the change was committed.
    commits: Batcher<Arc<EncodedChange>, bool>,
}

impl BatchedPayments {
    /// Starts the batchers' tasks, which end when this is dropped.
    pub(crate) fn start(payments: Arc<PgPayments>) -> Self {
        let [loads, key_uses, commits] = [(); 3].map(|()| payments.clone());
        Self {
            payments,
            loads: Batcher::start(LIMITS, move |jobs| load_group(loads.clone(), jobs)),
            key_uses: Batcher::start(LIMITS, move |jobs| key_uses_group(key_uses.clone(), jobs)),
            commits: Batcher::start(LIMITS, move |jobs| commit_group(commits.clone(), jobs)),
        }
    }
}

#[async_trait]
impl Payments for BatchedPayments {
    async fn load(&self, bookings: &[BookingId]) -> Result<Loaded<PaymentRecord>, StoreError> {
        let [booking] = bookings else { return self.payments.load(bookings).await };
        Ok(self.loads.submit(*booking).await?.into_iter().collect())
    }

    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError> {
        let [key] = keys else { return self.payments.key_uses(keys, now).await };
        Ok(self.key_uses.submit((key.clone(), now)).await?.into_iter().collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        let change = match <[Change; 1]>::try_from(changes) {
            Ok([change]) => change,
            Err(changes) => return self.payments.commit(changes).await,
        };
        let booking = change.after.booking_id();
        // Encoded in the requester's task, whose trace the messages carry.
        let change = Arc::new(self.payments.encode(change));
        let is_committed = self.commits.submit(change).await?;
        Ok(if is_committed { HashSet::new() } else { HashSet::from([booking]) })
    }

    async fn answered_processing(&self, key: &RequestKey) -> Result<bool, StoreError> {
        self.payments.answered_processing(key).await
    }

    async fn mark_answered_processing(&self, key: &RequestKey) -> Result<(), StoreError> {
        self.payments.mark_answered_processing(key).await
    }

    async fn release(&self, claims: &[ReleasedClaim]) -> Result<(), StoreError> {
        self.payments.release(claims).await
    }

    async fn ask_soon(&self, booking: BookingId, look_up: bool) -> Result<bool, StoreError> {
        self.payments.ask_soon(booking, look_up).await
    }
}

async fn load_group(
    payments: Arc<PgPayments>,
    bookings: Vec<BookingId>,
) -> Result<Vec<Option<Result<PaymentRecord, UnreadableRow>>>, StoreError> {
    let mut wanted = bookings.clone();
    wanted.sort_unstable();
    wanted.dedup();
    let records = payments.load(&wanted).await?.by_id(|record| record.booking_id().0);
    Ok(bookings.iter().map(|booking| records.get(&booking.0).cloned()).collect())
}

async fn key_uses_group(
    payments: Arc<PgPayments>,
    jobs: Vec<(RequestKey, Timestamp)>,
) -> Result<Vec<Option<KeyUse>>, StoreError> {
    let Some(earliest) = jobs.iter().map(|(_, now)| *now).min() else { return Ok(Vec::new()) };
    let mut keys: Vec<RequestKey> = jobs.iter().map(|(key, _)| key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let uses = payments.key_uses(&keys, earliest).await?.into_iter();
    let uses: HashMap<_, _> = uses.map(|key_use| (key_use.key.clone(), key_use)).collect();
    Ok(jobs.iter().map(|(key, _)| uses.get(key).cloned()).collect())
}

/// Commits the first change of each payment; the later ones are conflicts.
async fn commit_group(
    payments: Arc<PgPayments>,
    changes: Vec<Arc<EncodedChange>>,
) -> Result<Vec<bool>, StoreError> {
    let mut bookings = HashSet::new();
    let is_first: Vec<bool> =
        changes.iter().map(|change| bookings.insert(change.booking_id())).collect();
    let first = changes.iter().zip(&is_first).filter(|(_, is_first)| **is_first);
    let conflicts = payments.write(first.map(|(change, _)| &**change).collect()).await?;
    let is_committed = |(change, is_first): (&Arc<EncodedChange>, bool)| {
        is_first && !conflicts.contains(&change.booking_id())
    };
    Ok(changes.iter().zip(is_first).map(is_committed).collect())
}
