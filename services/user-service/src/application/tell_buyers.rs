//! Tell buyers of the turns in their bookings' lives: at least once, and no more without need.

use karcis_kernel::Timestamp;

use crate::{
    application::ports::{Notices, Notifier, StoreError},
    domain::Notice,
};

/// For how long an instance takes a notice on: longer than the notifier takes for a batch.
const TAKEN_ON: chrono::Duration = chrono::Duration::minutes(1);

/// News older than this helps nobody.
const WORTH_TELLING: chrono::Duration = chrono::Duration::days(3);

/// How many overdue notices are taken on at a time.
const AT_A_TIME: i64 = 500;

/// Tells what was not told before. What cannot be told now is overdue in a minute.
pub async fn tell_buyers(
    notices: &dyn Notices,
    notifier: &dyn Notifier,
    turns: &[Notice],
    at: Timestamp,
) -> Result<(), StoreError> {
    let news = notices.note(turns, at, at + TAKEN_ON).await?;
    tell(notices, notifier, &news, at).await
}

/// Tells what an instance, this or another, took on and did not get through with.
pub async fn tell_overdue(
    notices: &dyn Notices,
    notifier: &dyn Notifier,
    at: Timestamp,
) -> Result<(), StoreError> {
    let since = at - WORTH_TELLING;
    let overdue = notices.take_overdue(at, at + TAKEN_ON, since, AT_A_TIME).await?;
    tell(notices, notifier, &overdue, at).await
}

async fn tell(
    notices: &dyn Notices,
    notifier: &dyn Notifier,
    news: &[Notice],
    at: Timestamp,
) -> Result<(), StoreError> {
    if news.is_empty() {
        return Ok(());
    }
    let given = notifier.tell(news).await;
    let told: Vec<_> = news.iter().zip(given).filter(|(_, given)| *given).map(|(n, _)| n).collect();
    notices.told(&told, at).await
}
