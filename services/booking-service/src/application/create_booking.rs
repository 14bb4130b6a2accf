//! A buyer orders tickets.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use karcis_database::{Decider, KeyUse, StoreError, UnreadableRow, decide_and_commit};
use karcis_kernel::{BookingId, Bug};

use super::{Bookings, Change};
use crate::domain::{Booking, Names, Order, ResendSchedule, create};

/// A booking, and whether an earlier request created it.
#[derive(Clone, Debug)]
pub struct Created {
    /// The booking as it is now.
    pub booking: Booking,
    pub is_repeated: bool,
}

/// Why no booking was created.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateBookingError {
    #[error("the key belongs to another request")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Creates the order's booking. Requests with the same key and fingerprint create one booking.
pub async fn create_booking(
    bookings: &dyn Bookings,
    resends: ResendSchedule,
    order: Order,
    names: Arc<Names>,
    key: Option<KeyUse>,
) -> Result<Created, CreateBookingError> {
    let new = NewBooking { order: Arc::new(order), names, key };
    let mut created = decide_and_commit(&CreateBooking { bookings, resends }, &[new]).await?;
    created.pop().ok_or_else(|| StoreError::unavailable("nothing was decided").into())
}

struct CreateBooking<'a> {
    bookings: &'a dyn Bookings,
    resends: ResendSchedule,
}

struct NewBooking {
    order: Arc<Order>,
    names: Arc<Names>,
    key: Option<KeyUse>,
}

#[derive(Default)]
struct UnitOfWork {
    keys: Vec<KeyUse>,
    stored: HashMap<BookingId, Booking>,
    unreadable: HashMap<BookingId, UnreadableRow>,
    new: Vec<Change>,
}

#[async_trait]
impl Decider for CreateBooking<'_> {
    type Job = NewBooking;
    type Key = BookingId;
    type UnitOfWork = UnitOfWork;
    type Output = Created;
    type Error = CreateBookingError;

    fn key(&self, job: &NewBooking) -> BookingId {
        job.order.id
    }

    /// The first round loads nothing: most requests are new, and the commit reports a used key.
    async fn load(&self, jobs: &[&NewBooking], round: u32) -> Result<UnitOfWork, StoreError> {
        let earliest = jobs.iter().map(|job| job.order.created_at).min();
        let Some(at) = earliest.filter(|_| round > 0) else { return Ok(UnitOfWork::default()) };
        let keys: Vec<_> =
            jobs.iter().filter_map(|job| Some(job.key.as_ref()?.key.clone())).collect();
        // Not later than the commit judges them, or a key that expires now would be neither.
        let keys = self.bookings.key_uses(&keys, at).await?;
        let known = keys.iter().filter_map(|key_use| key_use.subject.map(BookingId));
        // A commit without an answer may have stored the job's own booking.
        let ids: Vec<BookingId> = jobs.iter().map(|job| job.order.id).chain(known).collect();
        let loaded = self.bookings.load(&ids).await?;
        let stored = loaded.found.into_iter().map(|booking| (booking.order.id, booking)).collect();
        let unreadable =
            loaded.unreadable.into_iter().map(|row| (BookingId(row.id), row)).collect();
        Ok(UnitOfWork { keys, stored, unreadable, new: vec![] })
    }

    fn decide(
        &self,
        unit: &mut UnitOfWork,
        job: &NewBooking,
    ) -> Result<Created, CreateBookingError> {
        if let Some(booking) = unit.stored.get(&job.order.id) {
            return Ok(Created { booking: booking.clone(), is_repeated: false });
        }
        if let Some(key) = &job.key
            && let Some(used) = unit.keys.iter().find(|used| used.key == key.key)
        {
            if used.fingerprint != key.fingerprint {
                return Err(CreateBookingError::KeyReused);
            }
            let id = used.subject.map(BookingId);
            if let Some(unreadable) = id.and_then(|id| unit.unreadable.get(&id)) {
                return Err(StoreError::from(unreadable.clone()).into());
            }
            let booking = id.and_then(|id| unit.stored.get(&id)).cloned();
            let missing = || StoreError::unavailable("the booking of a used key is missing");
            return Ok(Created { booking: booking.ok_or_else(missing)?, is_repeated: true });
        }
        let created = create(job.order.clone(), self.resends);
        let booking = created.booking.clone();
        let key = job.key.clone().filter(|_| !Bug::KeyNotStored.is_planted());
        unit.new.push(Change::new(created, job.names.clone(), key));
        Ok(Created { booking, is_repeated: false })
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<HashSet<BookingId>, StoreError> {
        if unit.new.is_empty() { Ok(HashSet::new()) } else { self.bookings.commit(unit.new).await }
    }
}
