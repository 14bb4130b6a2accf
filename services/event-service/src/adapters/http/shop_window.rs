//! Where everybody looks at events: as they were at most half a second ago.

use std::sync::Arc;

use karcis_http::Problem;
use karcis_kernel::{EventId, Timestamp};

use super::recent::Recent;
use crate::{
    application::ports::{Catalogue, EventFilter, Kind, StoreError},
    domain::Event,
};

/// The catalogue behind answers that are shared for a moment.
pub struct ShopWindow {
    catalogue: Arc<dyn Catalogue>,
    events: Recent<EventId, Seen<Option<Event>>, StoreError>,
    lists: Recent<EventFilter, Seen<Vec<Event>>, StoreError>,
}

/// What was seen, and when.
pub struct Seen<T> {
    /// What was seen.
    pub what: T,
    /// When.
    pub as_of: Timestamp,
}

impl ShopWindow {
    /// In front of this catalogue.
    pub fn new(catalogue: Arc<dyn Catalogue>) -> Self {
        Self { catalogue, events: Recent::new(), lists: Recent::new() }
    }

    /// The event. Those who edit events look past the shared answers, as an edit may just have
    /// been made on another instance.
    pub async fn find(
        &self,
        id: EventId,
        edits: bool,
    ) -> Result<Arc<Seen<Option<Event>>>, Problem> {
        if edits {
            self.events.forget(&id);
        }
        let load = || async {
            let as_of = karcis_process::now();
            Ok(Seen { what: self.catalogue.find(id).await?, as_of })
        };
        self.events.get(&id, load).await.map_err(failed)
    }

    /// The events of a page, and one more if there is one.
    pub async fn list(
        &self,
        filter: &EventFilter,
        edits: bool,
    ) -> Result<Arc<Seen<Vec<Event>>>, Problem> {
        if edits || matches!(filter.kind, Kind::DraftsOf(_)) {
            self.lists.forget(filter);
        }
        let load = || async {
            let as_of = karcis_process::now();
            Ok(Seen { what: self.catalogue.list(filter, as_of).await?, as_of })
        };
        self.lists.get(filter, load).await.map_err(failed)
    }

    /// The event was edited.
    pub fn changed(&self, id: EventId) {
        self.events.forget(&id);
        self.lists.forget_all();
    }
}

/// The answer to one of several who waited for the same failure.
fn failed(error: Arc<StoreError>) -> Problem {
    match &*error {
        StoreError::Unavailable(cause) => Problem::unavailable(cause),
        StoreError::Refused(cause) => Problem::internal(cause),
    }
}
