//! Bookings in Postgres: many rows a statement, many changes a transaction.

mod batched;
mod cancelled_events;
mod commit;
mod events;
mod idempotency_keys;
mod load;
mod queries;
mod reconciler;
mod rows;
mod saga_log;
mod stored_json;

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_database::{KEY_LIFETIME, KeyUse, Loaded, Pool, RequestKey, StoreError};
use karcis_http::Live;
use karcis_kernel::{BookingId, Timestamp};
use karcis_messaging::{Outbox, Outgoing};

use self::{commit::EncodedChange, idempotency_keys::KEYS};
use crate::{
    application::{Bookings, Change},
    domain::Booking,
};

pub(crate) use batched::BatchedBookings;
pub(crate) use cancelled_events::CancelledEvents;
pub(crate) use events::MovedEvents;
pub(crate) use reconciler::AnswerReconciler;

/// Turns a change's messages into wire form, with the running task's trace.
pub(crate) type Encode = fn(&Change) -> Vec<Outgoing>;

/// The bookings of this service's schema, table `booking`.
///
/// Nothing reads or writes table `ticket` any more: event-service shows tickets by their codes.
pub(crate) struct PgBookings {
    pool: Pool,
    outbox: Outbox,
    live: Live,
    encode: Encode,
}

impl PgBookings {
    /// Every commit notifies `outbox` and `live`.
    pub(crate) fn new(pool: Pool, outbox: Outbox, live: Live, encode: Encode) -> Self {
        Self { pool, outbox, live, encode }
    }
}

#[async_trait]
impl Bookings for PgBookings {
    async fn load(&self, ids: &[BookingId]) -> Result<Loaded<Booking>, StoreError> {
        load::load(&self.pool, ids).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        let ids: Vec<BookingId> = changes.iter().map(Change::id).collect();
        let encoded: Vec<EncodedChange> =
            changes.into_iter().map(|change| self.encode(change)).collect();
        let is_written = self.write(&encoded.iter().collect::<Vec<_>>()).await?;
        let conflicts = ids.into_iter().zip(is_written).filter(|(_, is_written)| !is_written);
        Ok(conflicts.map(|(id, _)| id).collect())
    }

    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError> {
        if keys.is_empty() {
            return Ok(vec![]);
        }
        let mut connection = self.pool.acquire().await?;
        KEYS.find(&mut connection, keys, now - KEY_LIFETIME).await
    }
}
