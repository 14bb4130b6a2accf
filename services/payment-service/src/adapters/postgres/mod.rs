//! Payments in the service's own schema, read and written many at a time.

mod commit;
mod keys;
mod read;
mod row;
mod write;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use karcis_http::{Live, Versions};
use karcis_kernel::{BookingId, Timestamp};
use karcis_messaging::Outbox;
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    application::ports::{Change, KeyUse, Payments, RequestKey, StoreError, Waiting},
    domain::{Entry, Payment},
};

/// Who is told at once after a commit.
#[derive(Clone)]
pub struct Wakes {
    /// Sends the facts.
    pub outbox: Outbox,
    /// Shows the change to those who watch.
    pub live: Live,
    /// Voids intents.
    pub void: Arc<Notify>,
    /// Gives money back.
    pub give_back: Arc<Notify>,
}

/// The payments of the service's schema.
pub struct PgPayments {
    pool: PgPool,
    wakes: Wakes,
}

impl PgPayments {
    /// The payments in `pool`'s schema; `wakes` are told of each change.
    pub fn new(pool: PgPool, wakes: Wakes) -> Self {
        Self { pool, wakes }
    }
}

/// Whether trying again may help.
fn failed(error: sqlx::Error) -> StoreError {
    error.into()
}

#[async_trait]
impl Payments for PgPayments {
    async fn load(&self, bookings: &[BookingId]) -> Result<Vec<Entry>, StoreError> {
        read::load(&self.pool, bookings).await
    }

    async fn keys(&self, keys: &[RequestKey], since: Timestamp) -> Result<Vec<KeyUse>, StoreError> {
        keys::keys(&self.pool, keys, since).await.map_err(failed)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<BookingId>, StoreError> {
        commit::commit(&self.pool, &self.wakes, changes).await.map_err(failed)
    }

    async fn answered_processing(&self, key: &RequestKey) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE idempotency_key SET answered_processing = true WHERE user_id = $1 AND key = $2",
        )
        .bind(key.user_id.0)
        .bind(&key.key)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed)
    }

    async fn waiting(
        &self,
        what: Waiting,
        after: Option<BookingId>,
        limit: i64,
    ) -> Result<Vec<Payment>, StoreError> {
        read::waiting(&self.pool, what, after, limit).await
    }

    async fn forget_keys(&self, since: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM idempotency_key WHERE used_at < $1")
            .bind(since)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
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
