//! Announces cancelled events again when they are due, and forgets expired keys.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_messaging::Outbox;
use karcis_process::{CancellationToken, chain, now};
use tokio::time::{MissedTickBehavior, interval};

use super::postgres::PgEvents;
use crate::application::{CancelledEvents, announce_cancelled};

/// How often it looks.
const TICK: Duration = Duration::from_millis(500);
/// How many events are announced at a time.
const AT_A_TIME: u16 = 100;
/// How often expired keys are deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// Works until `stopping`; pauses while the outbox has no room for bulk work.
pub(crate) async fn announce_cancelled_events(
    events: Arc<dyn CancelledEvents>,
    outbox: Outbox,
    alive: impl Fn() + Send,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        alive();
        let room = outbox.room_for_bulk_work().try_into().unwrap_or(AT_A_TIME);
        if room == 0 {
            continue;
        }
        match announce_cancelled(&*events, now(), room.min(AT_A_TIME)).await {
            Ok(rejected) => {
                if let Some((event_id, error)) = rejected.first() {
                    let (error, count) = (chain(error), rejected.len());
                    tracing::error!(%event_id, error, count, "the store rejects announcements");
                }
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the cancelled events wait for the next tick");
            }
        }
    }
    Ok(())
}

/// Deletes expired keys, until `stopping`.
pub(crate) async fn keep_house(
    events: Arc<PgEvents>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(HOUSEKEEPING);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = events.purge_keys(&stopping).await {
            tracing::warn!(error = %chain(&error), "expired keys wait for the next tick");
        }
    }
    Ok(())
}
