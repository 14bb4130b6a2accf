//! Send the e-mails that are due: each at least once, rarely more often, and to nobody too many.

use chrono::TimeDelta;
use karcis_database::StoreError;
use karcis_kernel::{Bug, Timestamp};

use super::{Delivery, MailCounts, MailQueue, Notifier};
use crate::domain::Mail;

/// How long an instance claims an e-mail: longer than the notifier takes for a batch.
const CLAIM: TimeDelta = TimeDelta::minutes(1);

/// Older e-mails are useless to the reader and are not sent.
const MAX_AGE: TimeDelta = TimeDelta::days(3);

/// After how long an e-mail that was not sent is tried again.
const MIN_PAUSE: TimeDelta = TimeDelta::seconds(2);
const MAX_PAUSE: TimeDelta = TimeDelta::minutes(10);
/// The same of one whose address got too many: strangers can make many of these wait.
const MAX_HELD_PAUSE: TimeDelta = TimeDelta::hours(1);

/// How many e-mails are claimed at a time. At most so many are sent twice when an instance dies.
const BATCH: usize = 100;

/// Sends a batch of the e-mails that are due. Returns whether there may be more.
pub async fn send_mails(
    queue: &dyn MailQueue,
    counts: &dyn MailCounts,
    notifier: &dyn Notifier,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let mut due = queue.claim_due(at, at + CLAIM, at - MAX_AGE, BATCH).await?;
    let may_be_more = due.len() == BATCH;
    let late: Vec<Mail> = due.extract_if(.., |mail| mail.is_too_late(at)).collect();
    let late: Vec<(&Mail, bool)> = late.iter().map(|mail| (mail, true)).collect();
    queue.record(&late, at, MIN_PAUSE..=MAX_PAUSE).await?;
    if due.is_empty() {
        return Ok(may_be_more);
    }
    let mut admitted = counts.admit(&due, at).await?.into_iter();
    let held: Vec<Mail> = due.extract_if(.., |_| !admitted.next().unwrap_or_default()).collect();
    if Bug::RecordedBeforeSent.is_planted() {
        let sent = due.iter().map(|mail| (mail, true)).collect::<Vec<_>>();
        queue.record(&sent, at, MIN_PAUSE..=MAX_PAUSE).await?;
    }
    let sent: Vec<(&Mail, Delivery)> = due.iter().zip(notifier.notify(&due).await).collect();
    // First, as what is not recorded is sent again.
    let outcomes = sent.iter().map(|(mail, sent)| (*mail, *sent == Delivery::Done));
    queue.record(&outcomes.collect::<Vec<_>>(), at, MIN_PAUSE..=MAX_PAUSE).await?;
    let held: Vec<(&Mail, bool)> = held.iter().map(|mail| (mail, false)).collect();
    queue.record(&held, at, MIN_PAUSE..=MAX_HELD_PAUSE).await?;
    let not_sent = sent.iter().filter(|(_, sent)| *sent == Delivery::NotSent);
    counts.uncount(&not_sent.map(|(mail, _)| *mail).collect::<Vec<_>>()).await?;
    Ok(may_be_more)
}
