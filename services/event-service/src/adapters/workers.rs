//! Announces cancelled events again when they are due.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_messaging::Outbox;
use karcis_process::CancellationToken;
use tokio::time::{MissedTickBehavior, interval};

use crate::application::{announce_cancelled, ports::CancelledEvents};

/// How often it looks.
const TICK: Duration = Duration::from_millis(500);

/// Works until `stopping`; pauses while the outbox is behind, because announcements wait there too.
pub(crate) async fn announce_cancelled(
    events: Arc<dyn CancelledEvents>,
    outbox: Outbox,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        if outbox.state().is_behind() {
            continue;
        }
        let now = karcis_process::now();
        if let Err(error) = announce_cancelled::announce_cancelled(&*events, now).await {
            tracing::warn!(%error, "cancelled events are announced later");
        }
    }
}
