//! Events, stock, holds and tickets in the service's schema.

mod commit;
mod events;
mod holds;
mod idempotency_keys;
mod load;
mod queries;
mod reconciler;
mod rows;
mod sales_days;
mod tickets;

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use karcis_database::{KeyUse, Pool, StoreError};
use karcis_http::Versions;
use karcis_kernel::{BookingId, EventId, TicketCode, Timestamp};
use karcis_messaging::{Outbox, Outgoing};
use uuid::Uuid;

use crate::{
    application::{
        Announcement, CancelledEvent, CancelledEvents, Catalogue, Doors, EventFact, EventFilter,
        Events, ListedTicket, LockedEvent, LockedTicket, Message, SalesQueries, StockChange,
        StockSnapshot, Stocks, TicketLists, TicketPosition, Tickets,
    },
    domain::{Command, Event, IssuedTicket, Sales},
};

pub(crate) use reconciler::StockReconciler;

/// Events, their stock and their tickets in Postgres.
#[derive(Clone)]
pub(crate) struct PgEvents {
    pool: Pool,
    outbox: Outbox,
    encode: fn(&Message<'_>) -> Outgoing,
}

impl PgEvents {
    /// In this schema. Messages are sent through `outbox`, in the form that `encode` gives them.
    pub(crate) fn new(pool: Pool, outbox: Outbox, encode: fn(&Message<'_>) -> Outgoing) -> Self {
        Self { pool, outbox, encode }
    }
}

#[async_trait]
impl Events for PgEvents {
    async fn key_use(&self, key: &KeyUse) -> Result<Option<KeyUse>, StoreError> {
        idempotency_keys::find(self, key).await
    }

    async fn add(
        &self,
        event: &Event,
        fact: Option<EventFact>,
        key: Option<&KeyUse>,
    ) -> Result<bool, StoreError> {
        events::add(self, event, fact, key).await
    }

    async fn lock(&self, id: EventId) -> Result<Option<Box<dyn LockedEvent>>, StoreError> {
        events::lock(self, id).await
    }
}

#[async_trait]
impl Stocks for PgEvents {
    async fn load(&self, commands: &[&Command]) -> Result<StockSnapshot, StoreError> {
        load::load(&self.pool, commands).await
    }

    async fn seats(&self, commands: &[&Command]) -> Result<HashMap<BookingId, usize>, StoreError> {
        load::seats(&self.pool, commands).await
    }

    async fn commit(
        &self,
        changes: Vec<StockChange>,
        at: Timestamp,
    ) -> Result<HashSet<EventId>, StoreError> {
        commit::commit(self, changes, at).await
    }
}

#[async_trait]
impl CancelledEvents for PgEvents {
    async fn due(&self, at: Timestamp, limit: u16) -> Result<Vec<CancelledEvent>, StoreError> {
        load::due_announcements(&self.pool, at, limit).await
    }

    async fn announce(&self, announcements: &[Announcement]) -> Result<(), StoreError> {
        commit::announce(self, announcements).await
    }
}

#[async_trait]
impl Catalogue for PgEvents {
    async fn find(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        queries::event(&self.pool, id).await
    }

    async fn list(&self, filter: &EventFilter, at: Timestamp) -> Result<Vec<Event>, StoreError> {
        queries::events(&self.pool, filter, at).await
    }
}

#[async_trait]
impl Tickets for PgEvents {
    async fn find(&self, code: &TicketCode) -> Result<Option<IssuedTicket>, StoreError> {
        queries::ticket(&self.pool, code).await
    }
}

#[async_trait]
impl Doors for PgEvents {
    async fn lock(&self, code: &TicketCode) -> Result<Option<Box<dyn LockedTicket>>, StoreError> {
        tickets::lock(self, code).await
    }
}

#[async_trait]
impl TicketLists for PgEvents {
    async fn changed(
        &self,
        event_id: EventId,
        after: TicketPosition,
        limit: u16,
    ) -> Result<Vec<ListedTicket>, StoreError> {
        tickets::changed(&self.pool, event_id, after, limit).await
    }

    async fn sold(
        &self,
        event_id: EventId,
        text: Option<&str>,
        before: TicketPosition,
        limit: u16,
    ) -> Result<Vec<ListedTicket>, StoreError> {
        tickets::sold(&self.pool, event_id, text, before, limit).await
    }
}

#[async_trait]
impl SalesQueries for PgEvents {
    async fn find(&self, id: EventId) -> Result<Option<Sales>, StoreError> {
        sales_days::sales(&self.pool, id).await
    }
}

/// Of sales.
#[async_trait]
impl Versions for PgEvents {
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String> {
        let versions = sales_days::versions(&self.pool, ids).await;
        versions.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use karcis_kernel::Bug;
    use karcis_schemas::EVENTS;
    use karcis_testkit::TestEnvironment;

    use super::*;
    use crate::{adapters::kafka::encode, application::port_tests};

    /// A store of its own; the database goes with the environment.
    async fn store() -> (TestEnvironment, PgEvents) {
        let environment = TestEnvironment::start().await;
        let url = environment.role_url(EVENTS);
        let pool = karcis_database::connect_to("DATABASE_URL", &url, 4).await.expect("a database");
        let outbox = Outbox::new(pool.clone(), "event-service");
        (environment, PgEvents::new(pool, outbox, encode))
    }

    #[tokio::test]
    async fn a_hold_goes_with_its_stock() {
        let (_environment, store) = store().await;
        port_tests::a_hold_goes_with_its_stock(&store, &store).await;
    }

    /// Of decisions, some of which others come before; the replies of the others are sent.
    async fn changes_are_written() {
        let (_environment, store) = store().await;
        port_tests::a_change_is_written_if_nothing_came_between(&store, &store).await;
        let sent = sqlx::query_scalar("SELECT count(*) FROM outbox");
        let sent: i64 = sent.fetch_one(&store.pool).await.expect("the store answers");
        assert_eq!(sent, 4, "three replies and an edit are published");
    }

    #[tokio::test]
    async fn a_change_is_written_and_published_if_nothing_came_between() {
        changes_are_written().await;
    }

    #[tokio::test]
    #[should_panic(expected = "a hold came between")]
    async fn without_the_version_check_its_test_fails() {
        let _planted = Bug::VersionCheckSkipped.plant_here();
        changes_are_written().await;
    }

    #[tokio::test]
    #[should_panic(expected = "three replies and an edit are published")]
    async fn with_what_is_published_before_it_is_committed_its_test_fails() {
        let _planted = Bug::PublishedBeforeCommit.plant_here();
        changes_are_written().await;
    }

    #[tokio::test]
    async fn a_cancelled_event_is_announced_until_it_is_free() {
        let (_environment, store) = store().await;
        port_tests::a_cancelled_event_is_announced_until_it_is_free(&store, &store, &store).await;
    }
}
