//! The ports of event-service.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use karcis_database::{KeyUse, PrivilegedAct, StoreError};
use karcis_event_service::{
    application::{
        Announcement, CancelledEvent, CancelledEvents, EventFact, Events, LockedEvent, StockChange,
        StockSnapshot, Stocks,
    },
    domain::{Command, Event, Hold},
};
use karcis_kernel::{BookingId, Bug, EventId, Timestamp};

use super::Ports;
use crate::seeded::{
    broker::Group,
    messages::{self, Message},
    processes::instance_name,
    random::hash,
    world::{Signal, State},
};

#[async_trait]
impl Stocks for Ports {
    /// Three statements: others may commit between them.
    async fn load(&self, commands: &[&Command]) -> Result<StockSnapshot, StoreError> {
        let ports = self.about(commands.first().map(|command| command.hold().booking_id.0));
        let events = ports.read(|state| state.tables.events.load_events(commands)).await?;
        let holds = ports.read(|state| state.tables.events.load_holds(commands)).await?;
        let buyers = ports.read(|state| state.tables.events.count_for_buyers(commands)).await?;
        let stored = holds.keys().map(|id| id.0);
        let unreadable = self.world.lock().unreadable(Group::Event, "hold", stored);
        let unreadable = unreadable.into_iter().map(|row| (row.id, row)).collect();
        Ok(StockSnapshot { events, holds, buyers, unreadable })
    }

    async fn seats(&self, commands: &[&Command]) -> Result<HashMap<BookingId, usize>, StoreError> {
        let ids = commands.iter().map(|command| command.hold().booking_id);
        self.read(|state| ids.filter_map(|id| Some((id, state.tables.events.seats(id)?))).collect())
            .await
    }

    async fn commit(
        &self,
        changes: Vec<StockChange>,
        _at: Timestamp,
    ) -> Result<HashSet<EventId>, StoreError> {
        if Bug::PublishedBeforeCommit.is_planted() {
            let replies = changes.iter().flat_map(|change| &change.replies);
            let messages = replies.map(|(hold, reply)| messages::of_hold(*hold, reply));
            self.world.lock().send(Group::Event, messages);
        }
        let replies = changes.iter().flat_map(|change| &change.replies);
        let about = replies.map(|(hold, _)| hold.booking_id.0).next();
        self.about(about).write(|state| commit(state, self.instance, changes)).await
    }
}

fn commit(state: &mut State, instance: usize, changes: Vec<StockChange>) -> HashSet<EventId> {
    let State { faults, obstacles, .. } = state;
    let is_locked = |id: EventId| obstacles.is_locked(faults, Group::Event, id.0);
    let (written, conflicts) = state.tables.events.commit(changes, is_locked);
    for change in &written {
        for (hold, reply) in &change.replies {
            let message = messages::of_hold(*hold, reply);
            let name = state.name(hold.booking_id.0);
            state.tell(|| {
                format!("{} replies {} to {name}", instance_name(instance), message.name())
            });
            state.send(Group::Event, [message]);
            let id = hold.booking_id;
            let checked = state.answers.of_hold(id, reply);
            state.check_answer(id, checked);
            state.trace = hash(&[state.trace, hold.booking_id.0.as_u128() as u64]);
        }
        let bookings: Vec<BookingId> = change.holds.iter().map(|hold| hold.booking_id).collect();
        for hold in &change.holds {
            let (name, now) = (state.name(hold.booking_id.0), hold_name(&hold.after));
            state.tell(|| {
                format!("{} commits: the seats of {name} are {now}", instance_name(instance))
            });
        }
        state.check(&bookings, Some(change.event_id));
    }
    conflicts
}

fn hold_name(hold: &Hold) -> &'static str {
    match hold {
        Hold::Held(_) => "held",
        Hold::Sold(..) => "sold",
        Hold::Released => "released",
        Hold::Rejected(why) => why.as_str(),
    }
}

#[async_trait]
impl CancelledEvents for Ports {
    async fn due(&self, at: Timestamp, limit: u16) -> Result<Vec<CancelledEvent>, StoreError> {
        self.read(|state| state.tables.events.due(at, limit)).await
    }

    async fn announce(&self, announcements: &[Announcement]) -> Result<(), StoreError> {
        self.write(|state| {
            let again = state.tables.events.announce(announcements);
            let rows = again.iter().filter_map(|id| state.tables.events.get(*id));
            let fact = EventFact::Cancelled { next: Timestamp::default() };
            let messages = rows.map(|row| Message::of_event(&row.event, fact)).collect::<Vec<_>>();
            state.send(Group::Event, messages);
        })
        .await
    }
}

#[async_trait]
impl Events for Ports {
    async fn key_use(&self, key: &KeyUse) -> Result<Option<KeyUse>, StoreError> {
        self.read(|state| state.tables.events.key_use(key)).await
    }

    async fn add(
        &self,
        event: &Event,
        fact: Option<EventFact>,
        key: Option<&KeyUse>,
    ) -> Result<bool, StoreError> {
        self.write(|state| {
            let is_added = state.tables.events.add(event, key);
            let fact = fact.filter(|_| is_added);
            state.send(Group::Event, fact.map(|fact| Message::of_event(event, fact)));
            is_added
        })
        .await
    }

    /// Waits while another edit has the event.
    async fn lock(&self, id: EventId) -> Result<Option<Box<dyn LockedEvent>>, StoreError> {
        loop {
            self.step().await;
            let locked = self.try_lock(id)?;
            self.step().await;
            match locked {
                Lock::Absent => return Ok(None),
                Lock::Waits => {}
                Lock::Taken(row) => return Ok(Some(Box::new(row))),
            }
        }
    }
}

enum Lock {
    Absent,
    Waits,
    Taken(LockedRow),
}

impl Ports {
    /// From here on the lock ends with the row that this returns.
    fn try_lock(&self, id: EventId) -> Result<Lock, StoreError> {
        let state = &mut *self.world.lock();
        if let Some(error) = state.store_fault(Group::Event, self.instance, self.place, false) {
            return Err(error);
        }
        Ok(match state.tables.events.get_mut(id) {
            None => Lock::Absent,
            Some(row) if row.is_locked => Lock::Waits,
            Some(row) => {
                row.is_locked = true;
                let event = Box::new(row.event.clone());
                Lock::Taken(LockedRow { ports: self.clone(), event, is_open: true })
            }
        })
    }
}

/// An event that nobody else changes. Dropped, it is unchanged.
struct LockedRow {
    ports: Ports,
    event: Box<Event>,
    is_open: bool,
}

impl Drop for LockedRow {
    fn drop(&mut self) {
        if self.is_open
            && let Some(row) = self.ports.world.lock().tables.events.get_mut(self.event.id)
        {
            row.is_locked = false;
        }
    }
}

#[async_trait]
impl LockedEvent for LockedRow {
    fn event(&self) -> &Event {
        &self.event
    }

    async fn record(&mut self, _act: &PrivilegedAct) -> Result<(), StoreError> {
        Ok(())
    }

    async fn save(
        mut self: Box<Self>,
        event: &Event,
        fact: Option<EventFact>,
    ) -> Result<(), StoreError> {
        let ports = self.ports.clone();
        let is_open = &mut self.is_open;
        ports.write(|state| save(state, is_open, event, fact)).await
    }

    async fn add_copy(mut self: Box<Self>, copy: &Event) -> Result<(), StoreError> {
        let (ports, id) = (self.ports.clone(), self.event.id);
        let is_open = &mut self.is_open;
        ports
            .write(|state| {
                *is_open = false;
                if let Some(row) = state.tables.events.get_mut(id) {
                    row.is_locked = false;
                }
                state.tables.events.add(copy, None);
            })
            .await
    }

    async fn delete(mut self: Box<Self>) -> Result<(), StoreError> {
        let (ports, event) = (self.ports.clone(), self.event.clone());
        let is_open = &mut self.is_open;
        ports
            .write(|state| {
                *is_open = false;
                state.tables.events.delete(event.id);
                state.send(Group::Event, [Message::of_event(&event, EventFact::Deleted)]);
            })
            .await
    }
}

fn save(state: &mut State, is_open: &mut bool, event: &Event, fact: Option<EventFact>) {
    *is_open = false;
    let Some(row) = state.tables.events.get_mut(event.id) else { return };
    row.is_locked = false;
    row.stock_version += 1;
    row.event = event.clone();
    if let Some(EventFact::Cancelled { next }) = fact {
        (row.announced, row.announce_at) = (1, Some(next));
        state.notify(Signal::Work(Group::Event));
    }
    state.send(Group::Event, fact.map(|fact| Message::of_event(event, fact)));
    let name = state.name(event.id.0);
    state.tell(|| format!("an organiser edits {name}: {fact:?}"));
    state.check(&[], Some(event.id));
}
