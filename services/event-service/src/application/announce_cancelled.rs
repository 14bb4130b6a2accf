//! Announces cancelled events again until all their seats are free: an announcement may be lost,
//! and a booking may have come in just behind it.

use std::{slice, time::Duration};

use karcis_database::StoreError;
use karcis_kernel::{Bug, EventId, Timestamp};

use super::ports::{Announcement, CancelledEvents};

/// Announces what is due at `at`, at most `limit` events. Returns those that the store rejects, with
/// why: they do not stop the others.
pub async fn announce_cancelled(
    events: &dyn CancelledEvents,
    at: Timestamp,
    limit: u16,
) -> Result<Vec<(EventId, StoreError)>, StoreError> {
    let due = events.due(at, limit).await?;
    if due.is_empty() {
        return Ok(vec![]);
    }
    let announcements: Vec<_> = due
        .into_iter()
        .map(|event| Announcement {
            next: (event.taken > 0 && !Bug::AnnouncedOnce.is_planted())
                .then(|| next_announcement(at, event.announced + 1)),
            event,
        })
        .collect();
    match events.announce(&announcements).await {
        Err(StoreError::RejectedByStore(_)) => {}
        announced => return announced.map(|()| vec![]),
    }
    let mut rejected = vec![];
    for one in &announcements {
        match events.announce(slice::from_ref(one)).await {
            Err(error @ StoreError::RejectedByStore(_)) => rejected.push((one.event.id, error)),
            announced => announced?,
        }
    }
    Ok(rejected)
}

/// When an event that was announced `announced` times, last at `at`, is due again.
pub(super) fn next_announcement(at: Timestamp, announced: u32) -> Timestamp {
    at + pause_after(announced)
}

/// 2 s, doubling to a minute.
fn pause_after(announced: u32) -> Duration {
    let doublings = announced.saturating_sub(1).min(5);
    Duration::from_secs((2 << doublings).min(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_from_two_seconds_to_a_minute() {
        let pauses: Vec<u64> = (0..9).map(|n| pause_after(n).as_secs()).collect();
        assert_eq!(pauses, [2, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause_after(u32::MAX).as_secs(), 60);
    }
}
