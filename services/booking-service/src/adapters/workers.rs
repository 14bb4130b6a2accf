//! What happens without a request or a message: deadlines and resends, the cancelling of cancelled
//! events' bookings, and housekeeping.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_kernel::BookingId;
use karcis_messaging::Outbox;
use karcis_process::{CancellationToken, chain, now};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{metrics, postgres::PgBookings};
use crate::{
    application::{Rejected, cancel_event_bookings, fire_timers},
    domain::{DecisionContext, ResendSchedule},
};

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(150);
/// How many bookings are changed at a time.
const AT_A_TIME: u16 = 500;
/// How often cancelled events are looked for without a notification.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long a booking that the store rejects is left out.
const SKIPPED_FOR: Duration = Duration::from_secs(60);
/// How often sagas are counted and expired keys deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Fires timers until `stopping`: deadlines end, and unanswered commands are sent again. Pauses while
/// the outbox is behind: more messages would not arrive sooner.
pub(crate) async fn run_timers(
    bookings: Arc<PgBookings>,
    resends: ResendSchedule,
    outbox: Outbox,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut skipped = Skipped::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        if outbox.state().is_behind() {
            continue;
        }
        let context = DecisionContext { at: now(), resends };
        let firing = fire_timers(&*bookings, &*bookings, context, skipped.ids(), AT_A_TIME);
        match firing.await {
            Ok((count, rejected)) => {
                skipped.extend(rejected);
                metrics::count_timers(count);
                if count == usize::from(AT_A_TIME) {
                    ticks.reset_immediately();
                }
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the timers wait for the next tick")
            }
        }
    }
    Ok(())
}

/// Cancels the bookings of cancelled events until `stopping`: at a notification, and now and then
/// without one.
pub(crate) async fn cancel_bookings_of_cancelled_events(
    bookings: Arc<PgBookings>,
    resends: ResendSchedule,
    outbox: Outbox,
    event_cancelled: Arc<Notify>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut skipped = Skipped::default();
    let next = || timeout(LOOK_AGAIN, event_cancelled.notified());
    while stopping.run_until_cancelled(next()).await.is_some() {
        if outbox.state().is_behind() {
            continue;
        }
        let context = DecisionContext { at: now(), resends };
        let ids = skipped.ids();
        match cancel_event_bookings(&*bookings, &*bookings, context, ids, AT_A_TIME).await {
            Ok((may_be_more, rejected)) => {
                skipped.extend(rejected);
                if may_be_more {
                    event_cancelled.notify_one();
                }
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the cancelled events wait for the next tick")
            }
        }
    }
    Ok(())
}

/// The bookings that the store rejected a short while ago. They would hold up all others, so they are
/// left out until [`SKIPPED_FOR`] is over.
#[derive(Default)]
struct Skipped {
    ids: Vec<BookingId>,
    /// When the first of them was rejected.
    since: Option<Instant>,
}

impl Skipped {
    fn ids(&mut self) -> &[BookingId] {
        if self.since.is_some_and(|since| since.elapsed() > SKIPPED_FOR) {
            *self = Self::default();
        }
        &self.ids
    }

    fn extend(&mut self, rejected: Rejected) {
        metrics::count_rejected(rejected.len());
        if let Some((booking_id, error)) = rejected.first() {
            let (error, count) = (chain(error), rejected.len());
            tracing::error!(%booking_id, %error, count, "the store rejects bookings: they are skipped");
            self.since.get_or_insert_with(Instant::now);
        }
        self.ids.extend(rejected.into_iter().map(|(id, _)| id));
    }
}

/// Counts sagas and deletes expired keys, until `stopping`.
pub(crate) async fn keep_house(
    bookings: Arc<PgBookings>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(HOUSEKEEPING);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        match tokio::try_join!(bookings.under_way(), bookings.stuck()) {
            Ok((under_way, stuck)) => metrics::show(&under_way, &stuck),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the sagas are not counted until the next tick")
            }
        }
        if let Err(error) = bookings.purge_keys(&stopping).await {
            tracing::warn!(error = %chain(&error), "expired keys wait for the next tick");
        }
    }
    Ok(())
}
