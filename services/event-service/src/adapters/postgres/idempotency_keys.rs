//! Table `idempotency_key`: the keys of requests that create events.

use karcis_database::{IdempotencyKeys, KEY_LIFETIME, KeyUse, StoreError};
use karcis_process::{CancellationToken, now};

use super::PgEvents;

pub(super) const KEYS: IdempotencyKeys =
    IdempotencyKeys { subject: "event_id", used_at: "created_at" };

/// What the key of this use was used for in the 24 h before.
pub(super) async fn find(store: &PgEvents, wanted: &KeyUse) -> Result<Option<KeyUse>, StoreError> {
    let mut connection = store.pool.acquire().await?;
    let since = wanted.used_at - KEY_LIFETIME;
    let found = KEYS.find(&mut connection, std::slice::from_ref(&wanted.key), since).await?;
    Ok(found.into_iter().next())
}

impl PgEvents {
    /// Deletes expired keys, until `stopping`.
    pub(crate) async fn purge_keys(&self, stopping: &CancellationToken) -> Result<(), StoreError> {
        KEYS.purge_expired(&self.pool, now(), stopping).await
    }
}
