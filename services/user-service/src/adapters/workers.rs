//! Work that no request waits for: notifying buyers and deleting expired rows.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_process::{CancellationToken, chain, now};
use sqlx::PgPool;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use crate::{
    adapters::postgres,
    application::{
        self,
        ports::{Notifications, Notifier},
    },
};

/// How often to look for notifications without a signal: those to be tried again, and those of
/// instances that died.
const NOTIFY_EVERY: Duration = Duration::from_secs(1);

/// How often expired rows are deleted.
const PURGE_EVERY: Duration = Duration::from_secs(600);

/// Sends what is due at each signal and each second, until `stopping`. A batch that is being sent
/// then is finished first, so that nothing is sent twice. A mail server that is slow or unavailable
/// does not hold up the consumer.
pub(crate) async fn notify_buyers(
    notifications: Arc<dyn Notifications>,
    notifier: Arc<dyn Notifier>,
    due: Arc<Notify>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(NOTIFY_EVERY);
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => break,
            () = due.notified() => {}
            _ = ticks.tick() => {}
        }
        match application::notify_buyers::notify_buyers(&*notifications, &*notifier, now()).await {
            Ok(true) => due.notify_one(),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(error = %chain(&error), "buyers cannot be notified now");
            }
        }
    }
    Ok(())
}

/// Deletes expired rows at once and every ten minutes, until `stopping`, which also interrupts a
/// deletion.
pub(crate) async fn purge(pool: PgPool, stopping: CancellationToken) -> Result<(), Infallible> {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let purging = async {
        loop {
            ticks.tick().await;
            if let Err(error) = postgres::purge(&pool, now()).await {
                tracing::warn!(error = %chain(&error), "expired rows cannot be deleted now");
            }
        }
    };
    stopping.run_until_cancelled(purging).await;
    Ok(())
}
