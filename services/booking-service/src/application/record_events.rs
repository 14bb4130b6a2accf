//! What event-service says of its events is recorded, many at a time.

use std::collections::{BTreeMap, BTreeSet};

use karcis_database::StoreError;
use karcis_kernel::{EventId, Timestamp};

use super::{EventEdit, Events};

/// What event-service says of an event.
#[derive(Clone, Debug)]
pub enum EventNews {
    Edited(EventEdit),
    /// It does not take place, for this reason.
    Cancelled(EventId, String),
    /// It is gone; it never had a booking.
    Deleted(EventId),
}

/// Records the news. What is old or said again changes nothing.
pub async fn record_events(
    events: &dyn Events,
    news: impl IntoIterator<Item = EventNews>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut edits: BTreeMap<EventId, EventEdit> = BTreeMap::new();
    let mut cancelled: BTreeMap<EventId, String> = BTreeMap::new();
    let mut deleted: BTreeSet<EventId> = BTreeSet::new();
    for news in news {
        match news {
            EventNews::Edited(edit) => fold(&mut edits, edit),
            // The reason that was given first stands.
            EventNews::Cancelled(event, reason) => {
                cancelled.entry(event).or_insert(reason);
            }
            EventNews::Deleted(event) => {
                deleted.insert(event);
            }
        }
    }
    edits.retain(|event, _| !deleted.contains(event));
    if !edits.is_empty() {
        events.record_edits(&edits.into_values().collect::<Vec<_>>(), at).await?;
    }
    if !cancelled.is_empty() {
        events.record_cancelled(&cancelled.into_iter().collect::<Vec<_>>(), at).await?;
    }
    if !deleted.is_empty() {
        events.forget(&deleted.into_iter().collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Keeps the newest version, and what an older one says and the newest does not.
fn fold(edits: &mut BTreeMap<EventId, EventEdit>, edit: EventEdit) {
    let Some(known) = edits.remove(&edit.event_id) else {
        edits.insert(edit.event_id, edit);
        return;
    };
    let (old, new) =
        if known.event.version < edit.event.version { (known, edit) } else { (edit, known) };
    let refundable_until = new.refundable_until.or(old.refundable_until);
    edits.insert(new.event_id, EventEdit { refundable_until, ..new });
}
