//! Announces cancelled events again when they are due.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_messaging::Outbox;
use karcis_process::{CancellationToken, chain, now};
use tokio::time::{MissedTickBehavior, interval};

use crate::application::{CancelledEvents, announce_cancelled};

/// How often it looks.
const TICK: Duration = Duration::from_millis(500);
/// How many events are announced at a time.
const AT_A_TIME: u16 = 100;

/// Works until `stopping`; pauses while the outbox is behind, because announcements wait there too.
pub(crate) async fn announce_cancelled_events(
    events: Arc<dyn CancelledEvents>,
    outbox: Outbox,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        if outbox.state().is_behind() {
            continue;
        }
        match announce_cancelled(&*events, now(), AT_A_TIME).await {
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
