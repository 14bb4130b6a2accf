//! Table `idempotency_key`: the keys of requests that create bookings.

use karcis_database::{IdempotencyKeys, KeyUse, StoreError};
use karcis_kernel::Timestamp;
use sqlx::PgConnection;

use super::{PgBookings, commit::EncodedChange};

pub(super) const KEYS: IdempotencyKeys =
    IdempotencyKeys { subject: "booking_id", used_at: "created_at" };

impl PgBookings {
    /// Deletes up to `limit` request keys that were used before `before`. Returns how many there
    /// were.
    pub(crate) async fn purge_keys(
        &self,
        before: Timestamp,
        limit: u16,
    ) -> Result<u64, StoreError> {
        KEYS.purge(&self.pool, before, limit).await
    }
}

/// Stores the requests' keys and marks the changes whose key is used.
pub(super) async fn take_keys(
    connection: &mut PgConnection,
    changes: &[&EncodedChange],
    is_written: &mut [bool],
) -> Result<(), StoreError> {
    let keys: Vec<&KeyUse> =
        changes.iter().filter_map(|change| change.change.key.as_ref()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let taken = KEYS.take(connection, &keys).await?;
    for (change, is_written) in changes.iter().zip(is_written) {
        if let Some(key) = &change.change.key {
            *is_written = taken.contains(key);
        }
    }
    Ok(())
}
