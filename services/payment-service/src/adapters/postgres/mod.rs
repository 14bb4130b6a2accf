//! Payments in the service's own schema, read and written many at a time.

mod batched;
mod commit;
mod idempotency_keys;
mod load;
mod rows;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use karcis_database::{KEY_LIFETIME, KeyUse, RequestKey, StoreError};
use karcis_http::{Live, Versions};
use karcis_kernel::{BookingId, Timestamp};
use karcis_messaging::{Outbox, Outgoing};
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use self::idempotency_keys::KEYS;
use crate::{
    application::ports::{Change, Payments, Waiting},
    domain::{Payment, PaymentRecord},
};

pub(crate) use self::batched::BatchedPayments;

/// What is notified after a commit.
#[derive(Clone)]
pub(crate) struct Signals {
    /// Sends the facts.
    pub outbox: Outbox,
    /// Shows the change to live streams.
    pub live: Live,
    /// Voids intents.
    pub void: Arc<Notify>,
    /// Sends money back.
    pub refund: Arc<Notify>,
}

/// The payments of the service's schema.
pub(crate) struct PgPayments {
    pool: PgPool,
    signals: Signals,
    encode: fn(&Change) -> Vec<Outgoing>,
}

/// A change with its messages.
#[derive(Clone)]
struct EncodedChange {
    change: Change,
    messages: Vec<Outgoing>,
}

impl EncodedChange {
    fn booking_id(&self) -> BookingId {
        self.change.after.booking_id()
    }
}

impl PgPayments {
    /// The payments in `pool`'s schema. `encode` gives the messages of a change; `signals` are
    /// notified of each commit.
    pub(crate) fn new(
        pool: PgPool,
        signals: Signals,
        encode: fn(&Change) -> Vec<Outgoing>,
    ) -> Self {
        Self { pool, signals, encode }
    }

    /// Deletes up to `limit` keys that can no longer be repeated; returns how many there were.
    pub(crate) async fn purge_keys(&self, now: Timestamp, limit: u16) -> Result<u64, StoreError> {
        KEYS.purge(&self.pool, now - KEY_LIFETIME, limit).await
    }

    fn encode(&self, changes: Vec<Change>) -> Vec<EncodedChange> {
        let encode = |change| EncodedChange { messages: (self.encode)(&change), change };
        changes.into_iter().map(encode).collect()
    }

    async fn commit_encoded(
        &self,
        changes: Vec<EncodedChange>,
    ) -> Result<HashSet<BookingId>, StoreError> {
        commit::commit(&self.pool, &self.signals, changes).await
    }
}

#[async_trait]
impl Payments for PgPayments {
    async fn load(&self, bookings: &[BookingId]) -> Result<Vec<PaymentRecord>, StoreError> {
        load::load(&self.pool, bookings).await
    }

    async fn keys(&self, keys: &[RequestKey], now: Timestamp) -> Result<Vec<KeyUse>, StoreError> {
        KEYS.find(&mut *self.pool.acquire().await?, keys, now - KEY_LIFETIME).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        self.commit_encoded(self.encode(changes)).await
    }

    async fn answered_processing(&self, key: &RequestKey) -> Result<bool, StoreError> {
        idempotency_keys::answered_processing(&self.pool, key).await
    }

    async fn mark_answered_processing(&self, key: &RequestKey) -> Result<(), StoreError> {
        idempotency_keys::mark_answered_processing(&self.pool, key).await
    }

    async fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: i64,
    ) -> Result<Vec<Payment>, StoreError> {
        load::waiting(&self.pool, what, after, limit).await
    }
}

#[async_trait]
impl Versions for PgPayments {
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String> {
        sqlx::query_as("SELECT booking_id, version FROM payment WHERE booking_id = ANY($1)")
            .bind(ids)
            .fetch_all(&self.pool)
            .await
            .map(|rows: Vec<(Uuid, i64)>| rows.into_iter().collect())
            .map_err(|error| error.to_string())
    }
}
