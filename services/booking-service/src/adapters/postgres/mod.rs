//! Bookings in Postgres: many rows a statement, many changes a transaction.

mod batched;
mod booking_names;
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
use karcis_kernel::{BookingId, EventId, Timestamp};
use karcis_messaging::{Outbox, Outgoing};

use self::{commit::EncodedChange, idempotency_keys::KEYS};
use crate::{
    application::{Bookings, Change},
    domain::{Booking, Names},
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

impl PgBookings {
    /// What the people of these bookings are called, in the same order; nobody where nothing is known.
    async fn names_of(&self, bookings: &[(EventId, BookingId)]) -> Result<Vec<Names>, StoreError> {
        booking_names::load(&self.pool, bookings).await
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use karcis_kernel::Bug;
    use karcis_schemas::BOOKINGS;
    use karcis_testkit::TestEnvironment;

    use super::*;
    use crate::application::{Timers, port_tests};

    /// A store of its own; the database goes with the environment.
    async fn store() -> (TestEnvironment, PgBookings) {
        let environment = TestEnvironment::start().await;
        let url = environment.role_url(BOOKINGS);
        let pool = karcis_database::connect_to("DATABASE_URL", &url, 4).await.expect("a database");
        let outbox = Outbox::new(pool.clone(), "booking-service");
        (environment, PgBookings::new(pool, outbox, Live::new(), |_| vec![]))
    }

    #[tokio::test]
    async fn a_change_is_written_if_nothing_came_between() {
        let (_environment, store) = store().await;
        port_tests::a_change_is_written_if_nothing_came_between(&store).await;
    }

    #[tokio::test]
    #[should_panic(expected = "another change came first")]
    async fn without_the_version_check_its_test_fails() {
        let (_environment, store) = store().await;
        let _planted = Bug::VersionCheckSkipped.plant_here();
        port_tests::a_change_is_written_if_nothing_came_between(&store).await;
    }

    #[tokio::test]
    async fn a_key_makes_one_booking() {
        let (_environment, store) = store().await;
        port_tests::a_key_makes_one_booking(&store).await;
    }

    /// A timer is claimed by one, for 5 s: who has claimed it may have died.
    async fn timers_are_claimed() {
        let (_environment, store) = store().await;
        port_tests::a_due_timer_is_claimed_once(&store, &store).await;
        let at = "2030-01-01T12:15:05Z".parse().expect("a time");
        let due = store.due(at, &[], 10).await.expect("the store answers");
        assert_eq!(due.len(), 1, "a claim ends");
    }

    #[tokio::test]
    async fn a_due_timer_is_claimed_once_and_not_for_ever() {
        timers_are_claimed().await;
    }

    #[tokio::test]
    #[should_panic(expected = "a claim ends")]
    async fn with_claims_that_last_their_test_fails() {
        let _planted = Bug::ClaimedForEver.plant_here();
        timers_are_claimed().await;
    }

    #[tokio::test]
    async fn a_timer_goes_when_its_booking_ends() {
        let (_environment, store) = store().await;
        port_tests::a_booking_is_rejected(&store).await;
        let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM timer")
            .fetch_one(&store.pool)
            .await
            .expect("the database answers");
        assert_eq!(timers, 0);
    }

    #[tokio::test]
    async fn a_cancelled_events_bookings_are_found() {
        let (_environment, store) = store().await;
        let store = Arc::new(store);
        let cancelled = CancelledEvents(store.clone());
        port_tests::a_cancelled_events_bookings_are_found(&*store, &*store, &cancelled).await;
    }

    #[tokio::test]
    async fn a_moved_events_holders_are_found() {
        let (_environment, store) = store().await;
        let store = Arc::new(store);
        let moved = MovedEvents::new(store.clone());
        port_tests::a_moved_events_holders_are_found(&*store, &*store, &moved).await;
    }

    #[tokio::test]
    async fn an_erased_buyers_bookings_are_found() {
        let (_environment, store) = store().await;
        port_tests::an_erased_buyers_bookings_are_found(&store, &store).await;
    }
}
