//! Group commit for HTTP: requests that come at the same time share reads and transactions.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use karcis_database::{
    BatchLimits, Batcher, KeyUse, Loaded, RequestKey, StoreError, UnreadableRow,
};
use karcis_kernel::{BookingId, EventId, Timestamp};

use super::{PgBookings, commit::EncodedChange};
use crate::{
    application::{BookingNames, Bookings, Change},
    domain::{Booking, Names},
};

/// As many may wait as a process takes connections; creates alone, which come in rushes, are refused before that
/// (`CREATES_AT_ONCE`).
const LIMITS: BatchLimits = BatchLimits { capacity: 4_096, group: 256 };

/// [`PgBookings`] for requests that load and change one booking each. Consumer and workers have
/// batches of their own and do not use it.
pub(crate) struct BatchedBookings {
    bookings: Arc<PgBookings>,
    reads: Batcher<BookingId, Option<Result<Booking, UnreadableRow>>>,
    names: Batcher<(EventId, BookingId), Names>,
    /// The output says whether the change was committed.
    writes: Batcher<Arc<EncodedChange>, bool>,
}

impl BatchedBookings {
    /// Starts the batchers' tasks, which end when this is dropped.
    pub(crate) fn start(bookings: Arc<PgBookings>) -> Self {
        let shared = bookings.clone();
        let reads = Batcher::start(LIMITS, move |ids| {
            let bookings = shared.clone();
            async move { read_group(&bookings, ids).await }
        });
        let shared = bookings.clone();
        let names = Batcher::start(LIMITS, move |ids: Vec<(EventId, BookingId)>| {
            let bookings = shared.clone();
            async move { bookings.names_of(&ids).await }
        });
        let shared = bookings.clone();
        let writes = Batcher::start(LIMITS, move |changes: Vec<Arc<EncodedChange>>| {
            let bookings = shared.clone();
            async move { bookings.write(&changes.iter().map(Arc::as_ref).collect::<Vec<_>>()).await }
        });
        Self { bookings, reads, names, writes }
    }
}

async fn read_group(
    bookings: &PgBookings,
    ids: Vec<BookingId>,
) -> Result<Vec<Option<Result<Booking, UnreadableRow>>>, StoreError> {
    let read = bookings.load(&ids).await?.by_id(|booking| booking.order.id.0);
    Ok(ids.iter().map(|id| read.get(&id.0).cloned()).collect())
}

#[async_trait]
impl Bookings for BatchedBookings {
    async fn load(&self, ids: &[BookingId]) -> Result<Loaded<Booking>, StoreError> {
        let [id] = ids else { return self.bookings.load(ids).await };
        Ok(self.reads.submit(*id).await?.into_iter().collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        let change = match <[Change; 1]>::try_from(changes) {
            Ok([change]) => change,
            Err(changes) => return self.bookings.commit(changes).await,
        };
        let id = change.id();
        let is_committed = self.writes.submit(Arc::new(self.bookings.encode(change))).await?;
        Ok(if is_committed { HashSet::new() } else { HashSet::from([id]) })
    }

    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError> {
        self.bookings.key_uses(keys, now).await
    }
}

#[async_trait]
impl BookingNames for BatchedBookings {
    async fn names(&self, event: EventId, booking: BookingId) -> Result<Names, StoreError> {
        self.names.submit((event, booking)).await
    }
}
