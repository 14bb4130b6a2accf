//! Payments in the service's own schema, read and written many at a time.

mod commit;
mod keys;
mod load;
mod rows;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use karcis_http::{Live, Readiness, Versions};
use karcis_kernel::{BookingId, Timestamp};
use karcis_messaging::{Outbox, Outgoing, is_transient};
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    application::ports::{Change, KeyUse, Payments, RequestKey, StoreError, Waiting},
    domain::{Payment, PaymentRecord},
};

/// What is notified after a commit.
#[derive(Clone)]
pub struct Signals {
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
pub struct PgPayments {
    pool: PgPool,
    signals: Signals,
    encode: fn(&Change) -> Vec<Outgoing>,
}

impl PgPayments {
    /// The payments in `pool`'s schema. `encode` gives the messages of a change; `signals` are
    /// notified of each commit.
    pub fn new(pool: PgPool, signals: Signals, encode: fn(&Change) -> Vec<Outgoing>) -> Self {
        Self { pool, signals, encode }
    }
}

/// Whether trying again may help.
fn failed(error: sqlx::Error) -> StoreError {
    if is_transient(&error) {
        StoreError::Unavailable(error.to_string())
    } else {
        StoreError::Invalid(error.to_string())
    }
}

#[async_trait]
impl Payments for PgPayments {
    async fn load(&self, bookings: &[BookingId]) -> Result<Vec<PaymentRecord>, StoreError> {
        load::load(&self.pool, bookings).await
    }

    async fn keys(&self, keys: &[RequestKey], since: Timestamp) -> Result<Vec<KeyUse>, StoreError> {
        keys::keys(&self.pool, keys, since).await.map_err(failed)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        let with_messages = |change| {
            let messages = (self.encode)(&change);
            (change, messages)
        };
        let changes = changes.into_iter().map(with_messages).collect();
        commit::commit(&self.pool, &self.signals, changes).await.map_err(failed)
    }

    async fn answered_processing(&self, key: &RequestKey) -> Result<(), StoreError> {
        keys::answered_processing(&self.pool, key).await.map_err(failed)
    }

    async fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: i64,
    ) -> Result<Vec<Payment>, StoreError> {
        load::waiting(&self.pool, what, after, limit).await
    }

    async fn purge_keys(&self, since: Timestamp) -> Result<(), StoreError> {
        keys::purge(&self.pool, since).await.map_err(failed)
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

#[async_trait]
impl Readiness for PgPayments {
    async fn ready(&self) -> Result<(), String> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(|_| "the database does not answer".to_owned())
    }
}
