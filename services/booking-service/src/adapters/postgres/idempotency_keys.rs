//! Table `idempotency_key`: the keys of requests that create bookings.

use karcis_database::{Connection, IdempotencyKeys, KeyUse, StoreError};
use karcis_process::{CancellationToken, now};

use super::PgBookings;

pub(super) const KEYS: IdempotencyKeys =
    IdempotencyKeys { subject: "booking_id", used_at: "created_at" };

impl PgBookings {
    /// Deletes expired keys, until `stopping`.
    pub(crate) async fn purge_keys(&self, stopping: &CancellationToken) -> Result<(), StoreError> {
        KEYS.purge_expired(&self.pool, now(), stopping).await
    }
}

/// Stores the keys of changes and marks the changes whose key is used.
pub(super) async fn take_keys(
    connection: &mut Connection,
    keys: &[Option<&KeyUse>],
    is_written: &mut [bool],
) -> Result<(), StoreError> {
    let uses: Vec<&KeyUse> = keys.iter().copied().flatten().collect();
    if uses.is_empty() {
        return Ok(());
    }
    let taken = KEYS.take(connection, &uses).await?;
    for (key, is_written) in keys.iter().zip(is_written) {
        if let Some(key) = key {
            *is_written = taken.contains(key);
        }
    }
    Ok(())
}
