//! Payments in the service's own schema, read and written many at a time.

mod batched;
mod commit;
mod idempotency_keys;
mod intent_references;
mod load;
mod queries;
mod reconciler;
mod rows;

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_database::{KEY_LIFETIME, KeyUse, Loaded, Pool, RequestKey, StoreError};
use karcis_http::Live;
use karcis_kernel::{BookingId, Timestamp};
use karcis_messaging::{Outbox, Outgoing};
use karcis_process::CancellationToken;
use tokio::sync::Notify;

use self::{commit::EncodedChange, idempotency_keys::KEYS};
use crate::{
    application::{Change, Claimed, Payments, ReleasedClaim, WaitingPayments},
    domain::PaymentRecord,
};

pub(crate) use self::{
    batched::BatchedPayments,
    intent_references::{IntentReferences, Reference},
    queries::StuckRefunds,
    reconciler::LedgerReconciler,
};

/// What is notified after a commit.
#[derive(Clone)]
pub(crate) struct Signals {
    pub outbox: Outbox,
    pub live: Live,
    /// For those who ask the provider of attempts, and of money that is to go back.
    pub ask: [Arc<Notify>; 2],
}

impl Signals {
    fn notify_asking(&self) {
        self.ask.iter().for_each(|ask| ask.notify_one());
    }
}

/// The payments of the service's schema.
pub(crate) struct PgPayments {
    pool: Pool,
    lease: Duration,
    signals: Signals,
    encode: fn(&Change) -> Vec<Outgoing>,
}

impl PgPayments {
    /// The payments in `pool`'s schema. Who asks the provider about one has it for the time of
    /// `lease`. `encode` gives the messages of a change; `signals` are notified of each commit.
    pub(crate) fn new(
        pool: Pool,
        lease: Duration,
        signals: Signals,
        encode: fn(&Change) -> Vec<Outgoing>,
    ) -> Self {
        Self { pool, lease, signals, encode }
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

    async fn release(&self, claims: &[ReleasedClaim]) -> Result<(), StoreError> {
        load::release(&self.pool, claims).await
    }

    async fn ask_soon(&self, booking: BookingId, look_up: bool) -> Result<bool, StoreError> {
        let has_attempt = load::ask_soon(&self.pool, booking, look_up).await?;
        self.signals.notify_asking();
        Ok(has_attempt)
    }
}

#[async_trait]
impl WaitingPayments for PgPayments {
    async fn claim(&self, refunds: bool, limit: u16) -> Result<Vec<Claimed>, StoreError> {
        load::claim(&self.pool, refunds, limit, self.lease.as_secs_f64()).await
    }
}

#[cfg(test)]
mod tests {
    use karcis_kernel::Bug;
    use karcis_schemas::PAYMENTS;
    use karcis_testkit::TestEnvironment;

    use super::*;
    use crate::application::port_tests;

    /// A store of its own; the database goes with the environment.
    async fn store() -> (TestEnvironment, PgPayments) {
        let environment = TestEnvironment::start().await;
        let url = environment.role_url(PAYMENTS);
        let pool = karcis_database::connect_to("DATABASE_URL", &url, 4).await.expect("a database");
        let outbox = Outbox::new(pool.clone(), "payment-service");
        let signals = Signals { outbox, live: Live::new(), ask: Default::default() };
        (environment, PgPayments::new(pool, Duration::from_secs(11), signals, |_| vec![]))
    }

    #[tokio::test]
    async fn a_change_is_written_if_nothing_came_between() {
        let (_environment, store) = store().await;
        port_tests::a_change_is_written_if_nothing_came_between(&store).await;
    }

    #[tokio::test]
    #[should_panic(expected = "it came between")]
    async fn without_the_version_check_its_test_fails() {
        let (_environment, store) = store().await;
        let _planted = Bug::VersionCheckSkipped.plant_here();
        port_tests::a_change_is_written_if_nothing_came_between(&store).await;
    }

    #[tokio::test]
    async fn a_key_starts_one_attempt() {
        let (_environment, store) = store().await;
        port_tests::a_key_starts_one_attempt(&store).await;
    }

    #[tokio::test]
    async fn who_needs_the_provider_is_claimed() {
        let (_environment, store) = store().await;
        port_tests::who_needs_the_provider_is_claimed(&store).await;
    }

    #[tokio::test]
    async fn a_payment_that_leaves_its_intent_open_is_looked_up() {
        let (_environment, store) = store().await;
        port_tests::a_payment_that_leaves_its_intent_open_is_looked_up(&store).await;
    }

    #[tokio::test]
    async fn what_an_operator_settles_is_asked_about_at_once() {
        let (_environment, store) = store().await;
        port_tests::what_an_operator_settles_is_asked_about_at_once(&store).await;
    }

    #[tokio::test]
    async fn what_an_operator_wants_asked_is_asked_at_once() {
        let (_environment, store) = store().await;
        port_tests::what_an_operator_wants_asked_is_asked_at_once(&store).await;
    }

    #[tokio::test]
    async fn what_the_provider_leaves_open_is_listed_and_held() {
        let (_environment, store) = store().await;
        port_tests::what_the_provider_leaves_open_is_listed_and_held(&store).await;
    }
}
