//! Tell buyers of the turns in their bookings' lives: at least once, and no more without need.

use chrono::TimeDelta;
use karcis_kernel::Timestamp;

use crate::{
    application::ports::{Notices, Notifier, StoreError},
    domain::Notice,
};

/// For how long an instance takes a notice on: longer than the notifier takes for all.
const TAKEN_ON: TimeDelta = TimeDelta::minutes(1);

/// News older than this helps nobody.
const WORTH_TELLING: TimeDelta = TimeDelta::days(3);

/// When what could not be told is tried again.
const SOONEST: TimeDelta = TimeDelta::seconds(2);
const LATEST: TimeDelta = TimeDelta::minutes(10);

/// How many notices are taken on at a time. So many at most are told twice when an instance dies.
const AT_A_TIME: usize = 100;

/// Tells what is due, and whether there may be more of it.
pub async fn tell_buyers(
    notices: &dyn Notices,
    notifier: &dyn Notifier,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let due = notices.take_due(at, at + TAKEN_ON, at - WORTH_TELLING, AT_A_TIME).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let done = notifier.tell(&due).await;
    let outcomes: Vec<(&Notice, bool)> = due.iter().map(|due| &due.notice).zip(done).collect();
    notices.settle(&outcomes, at, SOONEST..=LATEST).await?;
    Ok(due.len() == AT_A_TIME)
}
