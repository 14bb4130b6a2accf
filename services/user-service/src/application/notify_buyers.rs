//! Notify buyers of the status of their bookings: at least once, and rarely more often.

use chrono::TimeDelta;
use karcis_database::StoreError;
use karcis_kernel::Timestamp;

use super::{Notifications, Notifier};
use crate::domain::Notification;

/// How long an instance claims a notification: longer than the notifier takes for a batch.
const CLAIM: TimeDelta = TimeDelta::minutes(1);

/// Older notifications are useless to the buyer and are not sent.
const MAX_AGE: TimeDelta = TimeDelta::days(3);

/// After how long a failed notification is tried again.
const MIN_PAUSE: TimeDelta = TimeDelta::seconds(2);
const MAX_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// How many notifications are claimed at a time. At most so many are sent twice when an instance
/// dies.
const BATCH: usize = 100;

/// Sends a batch of the notifications that are due. Returns whether there may be more.
pub(crate) async fn notify_buyers(
    notifications: &dyn Notifications,
    notifier: &dyn Notifier,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let due = notifications.claim_due(at, at + CLAIM, at - MAX_AGE, BATCH).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let done = notifier.notify(&due).await;
    let outcomes: Vec<(&Notification, bool)> =
        due.iter().map(|due| &due.notification).zip(done).collect();
    notifications.record(&outcomes, at, MIN_PAUSE..=MAX_PAUSE).await?;
    Ok(due.len() == BATCH)
}
