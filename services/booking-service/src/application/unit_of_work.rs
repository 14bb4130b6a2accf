//! The bookings of a batch, loaded once, changed in memory and committed once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use karcis_database::{StoreError, UnreadableRow};
use karcis_kernel::BookingId;

use super::{Bookings, Change};

/// Loaded bookings, with what the inputs so far have changed of them, and those that are unreadable.
pub(super) type UnitOfWork = BTreeMap<BookingId, Result<Change, UnreadableRow>>;

/// The bookings with these ids; unknown ids are left out.
pub(super) async fn load_unit(
    bookings: &dyn Bookings,
    ids: impl Iterator<Item = BookingId>,
) -> Result<UnitOfWork, StoreError> {
    let ids: Vec<BookingId> = BTreeSet::from_iter(ids).into_iter().collect();
    let loaded = bookings.load(&ids).await?;
    let found = loaded.found.into_iter();
    let found = found.map(|booking| (booking.order.id, Ok(Change::unchanged(booking))));
    let unreadable = loaded.unreadable.into_iter().map(|row| (BookingId(row.id), Err(row)));
    Ok(found.chain(unreadable).collect())
}

/// Commits what was changed. Returns the ids of conflicts.
pub(super) async fn commit_unit(
    bookings: &dyn Bookings,
    unit: UnitOfWork,
) -> Result<HashSet<BookingId>, StoreError> {
    let changes: Vec<Change> = unit
        .into_values()
        .flatten()
        .filter(|change| !change.messages.is_empty() || !change.log.is_empty())
        .collect();
    if changes.is_empty() { Ok(HashSet::new()) } else { bookings.commit(changes).await }
}
