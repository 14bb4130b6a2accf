//! booking-service's tables `event` and `cancelled_event`: what it has heard of events, and whose bookings
//! have yet to take that in. As its `adapters/postgres/events.rs` and `cancelled_events.rs`.

use std::{collections::BTreeMap, sync::Arc};

use karcis_booking_service::{
    application::{EventEdit, OpenEvent},
    domain::{CurrentEvent, EventDetails},
};
use karcis_kernel::{EventId, Timestamp};

/// Why an event is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Open {
    /// Its bookings have to be cancelled.
    Cancelled,
    /// Its holders do not know how it looks.
    Moved,
}

#[derive(Debug, Default)]
struct KnownEvent {
    details: Option<EventDetails>,
    cancel_reason: Option<String>,
    moved_at: Timestamp,
    is_open: bool,
}

#[derive(Debug, Default)]
pub(crate) struct KnownEvents {
    events: BTreeMap<EventId, KnownEvent>,
    /// When the cancellation was last announced, and whether there may be bookings to cancel.
    cancelled: BTreeMap<EventId, (Timestamp, bool)>,
}

impl KnownEvents {
    /// The event as a booking shows it.
    pub(crate) fn current(&self, id: EventId) -> Option<Arc<CurrentEvent>> {
        let known = self.events.get(&id)?;
        let (details, cancel_reason) = (known.details.clone(), known.cancel_reason.clone());
        Some(Arc::new(CurrentEvent { details, cancel_reason }))
    }

    /// Since which version it looks as it does; 0 if that is not known.
    pub(crate) fn shown_since(&self, id: EventId) -> i64 {
        let details = self.events.get(&id).and_then(|known| known.details.as_ref());
        details.map_or(0, |details| details.shown_since)
    }

    pub(crate) fn record_edit(&mut self, edit: &EventEdit, at: Timestamp) {
        let known = self.events.entry(edit.event_id).or_default();
        let before = known.details.take();
        let (version, event) = (edit.event.version, edit.event.clone());
        let is_old = before.as_ref().is_some_and(|before| before.event.version >= version);
        if is_old {
            known.details = before;
            return;
        }
        let is_moved = match &before {
            Some(before) => !before.event.looks_like(&event),
            None => version > 1 || known.cancel_reason.is_some(),
        };
        let shown_since = match &before {
            Some(before) if !is_moved => before.shown_since,
            _ => version,
        };
        let was_until = before.and_then(|before| before.refundable_until);
        let refundable_until = edit.refundable_until.or(was_until);
        known.details =
            Some(EventDetails { event, shown_since, refundable_until, ends_at: edit.ends_at });
        if is_moved {
            known.moved_at = at;
        }
        known.is_open = known.cancel_reason.is_none() && (is_moved || known.is_open);
    }

    pub(crate) fn record_cancelled(&mut self, id: EventId, reason: &str, at: Timestamp) {
        let known = self.events.entry(id).or_default();
        if known.cancel_reason.is_none() {
            (known.cancel_reason, known.is_open) = (Some(reason.to_owned()), false);
        }
        self.cancelled.insert(id, (at, true));
    }

    pub(crate) fn forget(&mut self, id: EventId) {
        self.events.remove(&id);
    }

    /// The event that is open for this reason for longest.
    pub(crate) fn next(&self, why: Open, skipped: &[EventId]) -> Option<OpenEvent> {
        let open: Vec<OpenEvent> = match why {
            Open::Cancelled => {
                let open = self.cancelled.iter().filter(|(_, (_, is_open))| *is_open);
                open.map(|(id, (since, _))| OpenEvent { event_id: *id, since: *since }).collect()
            }
            Open::Moved => {
                let open = self.events.iter().filter(|(_, known)| known.is_open);
                open.map(|(id, it)| OpenEvent { event_id: *id, since: it.moved_at }).collect()
            }
        };
        let open = open.into_iter().filter(|event| !skipped.contains(&event.event_id));
        open.min_by_key(|event| event.since)
    }

    pub(crate) fn done(&mut self, why: Open, event: OpenEvent) {
        let id = &event.event_id;
        let (since, is_open) = match why {
            Open::Cancelled => {
                let Some((since, is_open)) = self.cancelled.get_mut(id) else { return };
                (*since, is_open)
            }
            Open::Moved => {
                let Some(known) = self.events.get_mut(id) else { return };
                (known.moved_at, &mut known.is_open)
            }
        };
        if since == event.since {
            *is_open = false;
        }
    }
}
