//! What happens by itself: deadlines and resends, the undoing of cancelled events' bookings, and
//! housekeeping.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_messaging::Outbox;
use karcis_process::{CancellationToken, now};
use tokio::{
    sync::Notify,
    time::{interval, timeout},
};

use super::{metrics, postgres::PgBookings};
use crate::application::{StoreError, cancel_event_bookings, wake_up};

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(150);
/// How many bookings are worked on at a time.
const AT_A_TIME: u16 = 500;
/// How often cancelled events are looked for when nobody said there is one.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often sagas are counted and old keys forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// How many old keys are forgotten at a time.
const KEYS_AT_A_TIME: u16 = 5_000;
/// How long a request's key is kept.
const KEYS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Strikes deadlines and sends unanswered commands again, until `stopping`. Pauses while the outbox
/// is behind: more messages would not arrive sooner.
pub async fn ring_alarms(
    bookings: Arc<PgBookings>,
    outbox: Outbox,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        let mut more = true;
        while more && !stopping.is_cancelled() && !outbox.state().is_behind() {
            more = match wake_up(&*bookings, &*bookings, now(), AT_A_TIME).await {
                Ok((count, _)) => {
                    metrics::count_alarms(count);
                    count == usize::from(AT_A_TIME)
                }
                Err(error) => failed("alarms", &error),
            };
        }
    }
    Ok(())
}

/// Undoes the bookings of cancelled events, until `stopping`. Starts when told, and looks by itself
/// now and then.
pub async fn undo_cancelled_events(
    bookings: Arc<PgBookings>,
    outbox: Outbox,
    told: Arc<Notify>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    while stopping.run_until_cancelled(timeout(LOOK_AGAIN, told.notified())).await.is_some() {
        let mut more = true;
        while more && !stopping.is_cancelled() && !outbox.state().is_behind() {
            let undone = cancel_event_bookings(&*bookings, &*bookings, now(), AT_A_TIME).await;
            more = undone.unwrap_or_else(|error| failed("cancelled events", &error));
        }
    }
    Ok(())
}

/// Counts sagas and forgets old keys, until `stopping`.
pub async fn keep_house(
    bookings: Arc<PgBookings>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    metrics::describe();
    let mut ticks = interval(HOUSEKEEPING);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        match tokio::try_join!(bookings.under_way(), bookings.stuck()) {
            Ok((under_way, stuck)) => metrics::show(&under_way, &stuck),
            Err(error) => {
                failed("the counts of sagas", &error);
            }
        }
        let mut more = true;
        while more && !stopping.is_cancelled() {
            more = match bookings.forget_keys(now() - KEYS_KEPT, KEYS_AT_A_TIME).await {
                Ok(forgotten) => forgotten == u64::from(KEYS_AT_A_TIME),
                Err(error) => failed("old keys", &error),
            };
        }
    }
    Ok(())
}

/// Says what failed; the next tick tries again.
fn failed(what: &'static str, error: &StoreError) -> bool {
    tracing::warn!(%error, "{what} wait for the next tick");
    false
}
