//! booking-service: its consumer (`adapters/kafka/consumer.rs`) and its timers and what bookings of
//! cancelled and moved events take in (`adapters/workers.rs`).

use std::time::Duration;

use async_trait::async_trait;
use karcis_booking_service::{
    application::{
        Rejected, Skipping, apply_inputs, apply_to_event, erase_buyer, fire_timers, record_events,
    },
    domain::{DecisionContext, Input, ResendSchedule},
};
use karcis_database::StoreError;
use karcis_messaging::HandleError;
use karcis_process::timer::{monotonic, wait};

use super::consumer::{Handler, consume};
use crate::seeded::{
    broker::Group,
    messages::{Content, Message},
    ports::{Opened, Ports},
    rows::Open,
    world::{Signal, Task},
};

/// How long a buyer has to pay.
pub(crate) const PAYMENT_WINDOW: Duration = Duration::from_secs(15 * 60);
const TICK: Duration = Duration::from_millis(150);
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How long what the store rejects is left out.
const REJECTED_FOR: Duration = Duration::from_secs(60);
/// How long what others have locked is left out.
const LOCKED_FOR: Duration = Duration::from_secs(1);
const AT_A_TIME: u16 = 500;
const ERASED_AT_A_TIME: u16 = 500;
/// More seats than any batch here has.
const SEATS: usize = 20_000;

/// When commands are sent again: the default of the service.
pub(crate) fn resends() -> ResendSchedule {
    ResendSchedule::new(Duration::from_secs(5))
}

pub(super) fn tasks(ports: &Ports) -> Vec<Task> {
    let replies = Replies(ports.clone());
    vec![
        Box::pin(consume(ports.clone(), Group::Booking, replies)),
        Box::pin(run_timers(ports.clone())),
        Box::pin(apply_to_open_events(ports.clone(), Open::Cancelled, Input::EventCancelled)),
        Box::pin(apply_to_open_events(ports.clone(), Open::Moved, Input::EventChanged)),
    ]
}

impl Ports {
    /// What booking-service decides on now.
    pub(crate) fn context(&self) -> DecisionContext {
        let at = self.world.lock().now(Some(self.instance));
        DecisionContext { at, resends: resends() }
    }

    /// Only what cannot be read is rejected.
    fn check_rejected(&self, rejected: &Rejected) {
        let state = &mut *self.world.lock();
        for (id, error) in rejected {
            if !state.obstacles.is_in_the_way(Group::Booking, id.0) {
                let name = state.name(id.0);
                state.violate(14, || format!("the store rejects {name}: {error}"));
            }
        }
    }
}

/// What is left out for a while.
struct Skipped<Id> {
    ids: Vec<Id>,
    /// When the first of them was met.
    since: Duration,
    time: Duration,
}

impl<Id> Skipped<Id> {
    fn of(time: Duration) -> Self {
        Self { ids: vec![], since: Duration::ZERO, time }
    }

    fn ids(&mut self) -> &[Id] {
        if monotonic() - self.since > self.time {
            self.ids.clear();
        }
        &self.ids
    }

    fn extend(&mut self, ids: impl IntoIterator<Item = Id>) {
        if self.ids().is_empty() {
            self.since = monotonic();
        }
        self.ids.extend(ids);
    }
}

struct Replies(Ports);

#[async_trait]
impl Handler for Replies {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let ports = &self.0;
        let context = ports.context();
        let (mut replies, mut events, mut users) = (vec![], vec![], vec![]);
        for (index, message) in batch.iter().enumerate() {
            match &message.content {
                Content::Reply(booking, input) => replies.push((index, (*booking, input.clone()))),
                Content::Event(news) => events.push((index, news.clone())),
                Content::UserErased(user) => users.push((index, *user)),
                Content::ToEventService(_)
                | Content::ToPaymentService(_)
                | Content::Notification(_)
                | Content::Poison(..) => {}
            }
        }
        let mut open = vec![];
        if !events.is_empty() {
            let (indexes, news): (Vec<usize>, Vec<_>) = events.into_iter().unzip();
            match record_events(ports, news, context.at).await {
                Err(StoreError::Contended(_)) => open.extend(indexes),
                recorded => recorded?,
            }
        }
        let (indexes, inputs): (Vec<usize>, Vec<_>) = replies.into_iter().unzip();
        let applied = apply_inputs(ports, context, &inputs).await?;
        let locked = indexes.iter().zip(&inputs).filter(|(_, (id, _))| applied.locked.contains(id));
        open.extend(locked.map(|(index, _)| *index));
        let mut rejected = applied.rejected;
        for (index, user) in users {
            let erased = erase_buyer(ports, ports, context, user, ERASED_AT_A_TIME).await?;
            if !erased.locked.is_empty() {
                open.push(index);
            }
            rejected.extend(erased.rejected);
        }
        let rejected = rejected.into_iter().next();
        rejected.map_or(HandleError::all_but(open), |(_, error)| Err(error.into()))
    }
}

async fn run_timers(ports: Ports) {
    let world = ports.world.clone();
    let mut skipped = Skipped::of(REJECTED_FOR);
    loop {
        let pause = {
            let state = world.lock();
            let now = state.now(Some(ports.instance));
            let next = state.tables.bookings.next_timer(skipped.ids());
            // Those that are left out come back without a signal.
            let idle = if skipped.ids().is_empty() { LOOK_AGAIN } else { LOCKED_FOR };
            next.map_or(idle, |next| (next - now).to_std().unwrap_or_default().min(idle))
        };
        if pause > TICK {
            world.wait_for(Signal::Work(Group::Booking), pause.min(LOOK_AGAIN)).await;
            continue;
        }
        wait(TICK).await;
        let context = ports.context();
        let firing = fire_timers(&ports, &ports, context, skipped.ids(), AT_A_TIME);
        if let Ok((_, rejected)) = firing.await {
            ports.check_rejected(&rejected);
            skipped.extend(rejected.into_iter().map(|(id, _)| id));
        }
    }
}

async fn apply_to_open_events(ports: Ports, why: Open, input: Input) {
    let (world, opened) = (ports.world.clone(), Opened(ports.clone(), why));
    let mut rejected = Skipped::of(REJECTED_FOR);
    let (mut locked, mut events) = (Skipped::of(LOCKED_FOR), Skipped::of(LOCKED_FOR));
    loop {
        if world.lock().tables.bookings.known.next(why, events.ids()).is_none() {
            let pause = if events.ids().is_empty() { LOOK_AGAIN } else { LOCKED_FOR };
            world.wait_for(Signal::Work(Group::Booking), pause).await;
            wait(TICK).await;
            continue;
        }
        let skipping =
            Skipping { rejected: rejected.ids(), locked: locked.ids(), events: events.ids() };
        let context = ports.context();
        let applying = apply_to_event(&ports, &opened, &input, context, skipping, AT_A_TIME, SEATS);
        match applying.await {
            Ok(Some(applied)) => {
                ports.check_rejected(&applied.rejected);
                rejected.extend(applied.rejected.into_iter().map(|(id, _)| id));
                locked.extend(applied.locked);
                events.extend(applied.waiting);
            }
            Ok(None) => {}
            Err(_) => wait(TICK).await,
        }
    }
}
