//! Events to look at, as they were at most half a second ago.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use karcis_database::StoreError;
use karcis_http::Tagged;
use karcis_kernel::{EventId, Timestamp};
use karcis_process::{CancellationToken, now};
use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    sync::Semaphore,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    responses::{EventResponse, ListedEventResponse},
    single_flight::{HeapBytes, SingleFlightCache},
};
use crate::{
    adapters::metrics,
    application::{Catalogue, EventFilter, Kind},
    domain::{CancelReason, Event, TicketType},
};

/// What each of the two caches keeps at most.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How often they give back what is old.
const SWEEP: Duration = Duration::from_secs(1);
/// How many pages are read at once, and as many searches: readers leave the database to buyers.
const PAGES_AT_ONCE: usize = 2;
/// How long a reader waits for that. Then he is told to come again.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Times in lists are looked up by the minute, so that `from=<now>` of many readers is one page.
const STEP_S: i64 = 60;
/// The rows of a page that is kept: of a short one, and of a long one. One more than is shown tells
/// whether there is a next page.
const SHORT_PAGE: u16 = 21;
const LONG_PAGE: u16 = 101;

/// The catalogue behind a cache that all readers share.
pub(crate) struct CatalogueCache {
    catalogue: Arc<dyn Catalogue>,
    events: SingleFlightCache<EventId, Option<FoundEvent>, StoreError>,
    lists: SingleFlightCache<EventFilter, Vec<ListedEvent>, StoreError>,
    lists_at_once: Arc<Semaphore>,
    searches_at_once: Arc<Semaphore>,
}

/// An event, and how it is sent.
pub(crate) struct FoundEvent {
    pub event: Event,
    pub answer: Tagged,
}

/// An event of a list, and how it is sent.
pub(crate) struct ListedEvent {
    pub event: Event,
    pub json: Box<RawValue>,
}

/// The events of a page: a part of what was read.
pub(crate) struct ListedEvents {
    read: Arc<Vec<ListedEvent>>,
    shown: Range<usize>,
}

impl ListedEvents {
    /// The events in the order of their kind.
    pub(crate) fn events(&self) -> &[ListedEvent] {
        &self.read[self.shown.clone()]
    }
}

impl FoundEvent {
    fn new(event: Event, as_of: Timestamp) -> Self {
        let answer = Tagged::new(event.version, &EventResponse::new(&event, as_of));
        Self { event, answer }
    }
}

impl ListedEvent {
    fn new(event: Event, as_of: Timestamp) -> Result<Self, StoreError> {
        let json = to_raw_value(&ListedEventResponse::new(&event, as_of));
        Ok(Self { event, json: json.map_err(StoreError::unavailable)? })
    }
}

impl CatalogueCache {
    /// In front of this catalogue.
    pub(crate) fn new(catalogue: Arc<dyn Catalogue>) -> Self {
        Self {
            catalogue,
            events: SingleFlightCache::new(MAX_BYTES),
            lists: SingleFlightCache::new(MAX_BYTES),
            lists_at_once: Arc::new(Semaphore::new(PAGES_AT_ONCE)),
            searches_at_once: Arc::new(Semaphore::new(PAGES_AT_ONCE)),
        }
    }

    /// Gives back what is old, until `stopping`.
    pub(crate) async fn sweep(
        self: Arc<Self>,
        stopping: CancellationToken,
    ) -> Result<(), Infallible> {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            metrics::set_catalogue_bytes(self.events.sweep() + self.lists.sweep());
        }
        Ok(())
    }

    /// The event. For people who edit events it is read again, as they may just have made an edit
    /// on another instance.
    pub(crate) async fn find(
        &self,
        id: EventId,
        edits: bool,
    ) -> Result<Arc<Option<FoundEvent>>, StoreError> {
        if edits {
            self.events.forget(&id);
        }
        let load = || async {
            metrics::count_catalogue_load("event");
            let (since, as_of) = (Instant::now(), now());
            let found = self.catalogue.find(id).await?;
            Ok((since, found.map(|event| FoundEvent::new(event, as_of))))
        };
        metrics::count_catalogue_read("event");
        self.events.get(&id, load).await
    }

    /// The first `filter.limit` events that it lets through. For people who edit events they are
    /// read again.
    pub(crate) async fn list(
        &self,
        filter: &EventFilter,
        edits: bool,
    ) -> Result<ListedEvents, StoreError> {
        metrics::count_catalogue_read("list");
        let wanted = usize::from(filter.limit);
        let mut kept = by_the_minute(filter);
        loop {
            let read = self.page(&kept, edits).await?;
            let starts = |of: &ListedEvent| of.event.details.starts_at;
            let is_early = |at| filter.from.is_some_and(|from| at < from);
            let is_late = |at| filter.to.is_some_and(|to| at >= to);
            // What the page has too much, at its beginning and at its end.
            let (before, behind): (&dyn Fn(_) -> _, &dyn Fn(_) -> _) =
                if kept.kind.is_newest_first() {
                    (&is_late, &is_early)
                } else {
                    (&is_early, &is_late)
                };
            let first = read.partition_point(|event| before(starts(event)));
            let is_whole = read.len() < usize::from(kept.limit);
            if first == 0 || is_whole || first + wanted <= read.len() {
                let end = read.partition_point(|event| !behind(starts(event)));
                let shown = first..end.clamp(first, first + wanted);
                return Ok(ListedEvents { read, shown });
            }
            // So many start in this minute, but outside the wanted time, that the page is short of the
            // rest: it goes on behind the last of them, which is the same for every reader.
            let last = &read[first - 1];
            kept.after = Some((starts(last), last.event.id));
            kept.limit = LONG_PAGE;
        }
    }

    async fn page(
        &self,
        kept: &EventFilter,
        edits: bool,
    ) -> Result<Arc<Vec<ListedEvent>>, StoreError> {
        if edits || kept.organiser.is_some() || kept.kind == Kind::Drafts {
            self.lists.forget(kept);
        }
        let at_once =
            if kept.text.is_some() { &self.searches_at_once } else { &self.lists_at_once };
        let load = || async {
            let permit = timeout(MAX_WAIT, at_once.clone().acquire_owned()).await;
            let permit = permit.map_err(|_| StoreError::busy("too many pages are read at once"))?;
            metrics::count_catalogue_load("list");
            let (since, as_of) = (Instant::now(), now());
            let (catalogue, kept) = (self.catalogue.clone(), kept.clone());
            // Of its own: the database goes on for a client that hangs up, and so keeps its permit.
            let reading = tokio::spawn(async move {
                let read = catalogue.list(&kept, as_of).await;
                drop(permit);
                read
            });
            let read = reading.await.map_err(StoreError::unavailable)??.into_iter();
            let listed: Result<_, _> = read.map(|event| ListedEvent::new(event, as_of)).collect();
            Ok((since, listed?))
        };
        self.lists.get(kept, load).await
    }

    /// The event was edited.
    pub(crate) fn changed(&self, id: EventId) {
        self.events.forget(&id);
        self.lists.forget_all();
    }
}

/// The filter of the page that is kept: it lets through all that `filter` does, and what starts in
/// the same minutes.
fn by_the_minute(filter: &EventFilter) -> EventFilter {
    let limit = if filter.limit <= SHORT_PAGE { SHORT_PAGE } else { LONG_PAGE };
    let at = |minutes: i64| Timestamp::from_timestamp(minutes * STEP_S, 0);
    let before = |time: Timestamp| at(time.timestamp().div_euclid(STEP_S)).unwrap_or(time);
    let after = |time: Timestamp| at(time.timestamp().div_euclid(STEP_S) + 1).unwrap_or(time);
    EventFilter {
        text: filter.text.as_ref().map(|text| same_words(text)),
        from: filter.from.map(before),
        to: filter.to.map(after),
        limit,
        ..filter.clone()
    }
}

/// The text with which all who look for the same words share a page.
fn same_words(text: &str) -> String {
    let text = text.to_lowercase();
    let words = BTreeSet::from_iter(text.split_whitespace());
    Vec::from_iter(words).join(" ")
}

impl HeapBytes for EventId {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl HeapBytes for EventFilter {
    fn heap_bytes(&self) -> usize {
        self.text.as_ref().map_or(0, String::len)
    }
}

impl HeapBytes for Event {
    fn heap_bytes(&self) -> usize {
        let details = &self.details;
        let texts = [
            Some(details.title.as_str()),
            Some(details.venue.as_str()),
            details.description.as_ref().map(|text| text.as_str()),
            self.stage.cancel_reason().map(CancelReason::as_str),
        ];
        let texts: usize = texts.into_iter().flatten().map(str::len).sum();
        let type_bytes = |t: &TicketType| size_of::<TicketType>() + t.name.as_str().len();
        texts + self.ticket_types.iter().map(type_bytes).sum::<usize>()
    }
}

impl HeapBytes for Option<FoundEvent> {
    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, |found| found.event.heap_bytes() + found.answer.bytes())
    }
}

impl HeapBytes for Vec<ListedEvent> {
    fn heap_bytes(&self) -> usize {
        let bytes = |of: &ListedEvent| of.event.heap_bytes() + of.json.get().len();
        self.iter().map(|listed| size_of::<ListedEvent>() + bytes(listed)).sum()
    }
}
