//! Events to look at, as they were at most half a second ago.

use std::sync::Arc;

use karcis_database::StoreError;
use karcis_kernel::{EventId, Timestamp};
use karcis_process::now;

use super::single_flight::SingleFlightCache;
use crate::{
    application::{Catalogue, EventFilter, Kind},
    domain::Event,
};

/// The catalogue behind a cache that all readers share.
pub(crate) struct CatalogueCache {
    catalogue: Arc<dyn Catalogue>,
    events: SingleFlightCache<EventId, Cached<Option<Event>>, StoreError>,
    lists: SingleFlightCache<EventFilter, Cached<Vec<Event>>, StoreError>,
}

/// What was read, and when.
pub(crate) struct Cached<T> {
    pub value: T,
    pub as_of: Timestamp,
}

impl CatalogueCache {
    /// In front of this catalogue.
    pub(crate) fn new(catalogue: Arc<dyn Catalogue>) -> Self {
        Self { catalogue, events: SingleFlightCache::new(), lists: SingleFlightCache::new() }
    }

    /// The event. For people who edit events it is read again, as they may just have made an edit
    /// on another instance.
    pub(crate) async fn find(
        &self,
        id: EventId,
        edits: bool,
    ) -> Result<Arc<Cached<Option<Event>>>, StoreError> {
        if edits {
            self.events.forget(&id);
        }
        let load = || async {
            let as_of = now();
            Ok(Cached { value: self.catalogue.find(id).await?, as_of })
        };
        self.events.get(&id, load).await
    }

    /// The events of a page. For people who edit events they are read again.
    pub(crate) async fn list(
        &self,
        filter: &EventFilter,
        edits: bool,
    ) -> Result<Arc<Cached<Vec<Event>>>, StoreError> {
        if edits || matches!(filter.kind, Kind::DraftsOf(_)) {
            self.lists.forget(filter);
        }
        let load = || async {
            let as_of = now();
            Ok(Cached { value: self.catalogue.list(filter, as_of).await?, as_of })
        };
        self.lists.get(filter, load).await
    }

    /// The event was edited.
    pub(crate) fn changed(&self, id: EventId) {
        self.events.forget(&id);
        self.lists.forget_all();
    }
}
