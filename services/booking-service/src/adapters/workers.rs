//! What happens without a request or a message: deadlines and resends, what the bookings of cancelled and
//! moved events have yet to take in, and housekeeping.

use std::{convert::Infallible, sync::Arc, time::Duration};

use karcis_kernel::BookingId;
use karcis_messaging::{Outbox, SEATS_AT_ONCE};
use karcis_process::{CancellationToken, chain, now};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{metrics, postgres::PgBookings};
use crate::{
    application::{OpenEvents, Rejected, Skipping, apply_to_event, fire_timers},
    domain::{DecisionContext, Input, ResendSchedule},
};

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(150);
/// How many bookings are changed at a time, at most.
const AT_A_TIME: u16 = 500;
/// How many messages the change of a booking sends, at most.
const MESSAGES_EACH: usize = 3;
/// How often open events are looked for without a notification.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long a booking that the store rejects is left out.
const REJECTED_FOR: Duration = Duration::from_secs(60);
/// The same for one that others have locked: less than until the next look.
const LOCKED_FOR: Duration = Duration::from_secs(1);
/// How often sagas are counted and expired keys deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// How many bookings can be changed now so that the messages leave the outbox room for sales.
fn at_a_time(outbox: &Outbox) -> u16 {
    let room = outbox.room_for_bulk_work() / MESSAGES_EACH;
    room.try_into().map_or(AT_A_TIME, |room: u16| room.min(AT_A_TIME))
}

/// Fires timers until `stopping`: deadlines end, and unanswered commands are sent again. Pauses while
/// the outbox has no room for bulk work: more messages would not arrive sooner.
pub(crate) async fn run_timers(
    bookings: Arc<PgBookings>,
    resends: ResendSchedule,
    outbox: Outbox,
    alive: impl Fn() + Send,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut skipped = Skipped::of(REJECTED_FOR);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        alive();
        let limit = at_a_time(&outbox);
        if limit == 0 {
            continue;
        }
        let context = DecisionContext { at: now(), resends };
        let firing = fire_timers(&*bookings, &*bookings, context, skipped.ids(), limit);
        match firing.await {
            Ok((count, rejected)) => {
                skipped.extend(logged(rejected));
                metrics::count_timers(count);
                if count == usize::from(limit) {
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

/// What the bookings of open events have yet to take in.
pub(crate) struct EventWork {
    pub(crate) events: Arc<dyn OpenEvents>,
    pub(crate) input: Input,
    /// Notified when an event was recorded.
    pub(crate) recorded: Arc<Notify>,
}

/// Does this work until `stopping`: at a notification, and now and then
/// without one. Pauses while the outbox has no room for bulk work.
pub(crate) async fn apply_to_open_events(
    bookings: Arc<PgBookings>,
    work: EventWork,
    resends: ResendSchedule,
    outbox: Outbox,
    alive: impl Fn() + Send,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut rejected = Skipped::of(REJECTED_FOR);
    let (mut locked, mut events) = (Skipped::of(LOCKED_FOR), Skipped::of(LOCKED_FOR));
    let mut pause = LOOK_AGAIN;
    let next = |pause| timeout(pause, work.recorded.notified());
    while stopping.run_until_cancelled(next(pause)).await.is_some() {
        alive();
        let limit = at_a_time(&outbox);
        pause = if limit == 0 { TICK } else { LOOK_AGAIN };
        if limit == 0 {
            continue;
        }
        let context = DecisionContext { at: now(), resends };
        let skipping =
            Skipping { rejected: rejected.ids(), locked: locked.ids(), events: events.ids() };
        let (seats, bookings) = (SEATS_AT_ONCE, &*bookings);
        let applying =
            apply_to_event(bookings, &*work.events, &work.input, context, skipping, limit, seats);
        match applying.await {
            Ok(Some(applied)) => {
                rejected.extend(logged(applied.rejected));
                locked.extend(applied.locked);
                events.extend(applied.waiting);
                work.recorded.notify_one();
            }
            Ok(None) => {}
            Err(error) => {
                let (error, input) = (chain(&error), work.input.name());
                tracing::warn!(%error, input, "the open events wait for the next tick")
            }
        }
    }
    Ok(())
}

/// What cannot be changed now. It would hold up all others, so it is left out for a while.
struct Skipped<Id> {
    ids: Vec<Id>,
    /// When the first of them was met.
    since: Option<Instant>,
    time: Duration,
}

impl<Id> Skipped<Id> {
    fn of(time: Duration) -> Self {
        Self { ids: Vec::new(), since: None, time }
    }

    fn ids(&mut self) -> &[Id] {
        if self.since.is_some_and(|since| since.elapsed() > self.time) {
            *self = Self::of(self.time);
        }
        &self.ids
    }

    fn extend(&mut self, ids: impl IntoIterator<Item = Id>) {
        self.ids.extend(ids);
        if !self.ids.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
    }
}

/// The bookings that the store rejects, after they are counted and logged.
fn logged(rejected: Rejected) -> impl Iterator<Item = BookingId> {
    metrics::count_rejected(rejected.len());
    if let Some((booking_id, error)) = rejected.first() {
        let (error, count) = (chain(error), rejected.len());
        tracing::error!(%booking_id, %error, count, "the store rejects bookings: they are skipped");
    }
    rejected.into_iter().map(|(id, _)| id)
}

/// Counts sagas, deletes expired keys and what is left of erased buyers' names, until `stopping`.
pub(crate) async fn keep_house(
    bookings: Arc<PgBookings>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut ticks = interval(HOUSEKEEPING);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        let counting =
            tokio::try_join!(bookings.under_way(), bookings.stuck(), bookings.moved_events());
        match counting {
            Ok((under_way, stuck, moved)) => metrics::show(&under_way, &stuck, moved),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the sagas are not counted until the next tick")
            }
        }
        if let Err(error) = bookings.purge_keys(&stopping).await {
            tracing::warn!(error = %chain(&error), "expired keys wait for the next tick");
        }
        if let Err(error) = bookings.erase_names_again().await {
            tracing::warn!(error = %chain(&error), "erased names wait for the next tick");
        }
    }
    Ok(())
}
