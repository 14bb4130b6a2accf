//! Payments in the service's own schema, read and written many at a time.

mod batched;
mod commit;
mod idempotency_keys;
mod load;
mod queries;
mod reconciler;
mod rows;

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use karcis_database::{KEY_LIFETIME, KeyUse, Loaded, Pool, RequestKey, StoreError};
use karcis_http::Live;
use karcis_kernel::{BookingId, Timestamp};
use karcis_messaging::{Outbox, Outgoing};
use karcis_process::CancellationToken;
use tokio::sync::Notify;

use self::{commit::EncodedChange, idempotency_keys::KEYS};
use crate::{
    application::{Change, Page, Payments, Waiting, WaitingPayments},
    domain::PaymentRecord,
};

pub(crate) use self::{
    batched::BatchedPayments, queries::StuckRefunds, reconciler::LedgerReconciler,
};

/// What is notified after a commit.
#[derive(Clone)]
pub(crate) struct Signals {
    pub outbox: Outbox,
    pub live: Live,
    pub void: Arc<Notify>,
    pub refund: Arc<Notify>,
}

/// The payments of the service's schema.
pub(crate) struct PgPayments {
    pool: Pool,
    signals: Signals,
    encode: fn(&Change) -> Vec<Outgoing>,
}

impl PgPayments {
    /// The payments in `pool`'s schema. `encode` gives the messages of a change; `signals` are
    /// notified of each commit.
    pub(crate) fn new(pool: Pool, signals: Signals, encode: fn(&Change) -> Vec<Outgoing>) -> Self {
        Self { pool, signals, encode }
    }

    /// Deletes keys that can no longer be repeated.
    pub(crate) async fn purge_keys(
        &self,
        now: Timestamp,
        stopping: &CancellationToken,
    ) -> Result<(), StoreError> {
        KEYS.purge_expired(&self.pool, now, stopping).await
    }
}

#[async_trait]
impl Payments for PgPayments {
    async fn load(&self, bookings: &[BookingId]) -> Result<Loaded<PaymentRecord>, StoreError> {
        load::load(&self.pool, bookings).await
    }

    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError> {
        KEYS.find(&mut self.pool.acquire().await?, keys, now - KEY_LIFETIME).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        let changes: Vec<EncodedChange> =
            changes.into_iter().map(|change| self.encode(change)).collect();
        self.write(changes.iter().collect()).await
    }

    async fn answered_processing(&self, key: &RequestKey) -> Result<bool, StoreError> {
        idempotency_keys::answered_processing(&self.pool, key).await
    }

    async fn mark_answered_processing(&self, key: &RequestKey) -> Result<(), StoreError> {
        idempotency_keys::mark_answered_processing(&self.pool, key).await
    }
}

#[async_trait]
impl WaitingPayments for PgPayments {
    async fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Page, StoreError> {
        load::waiting(&self.pool, what, after, limit).await
    }
}
