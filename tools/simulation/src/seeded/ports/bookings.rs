//! The ports of booking-service.

use std::collections::HashSet;

use async_trait::async_trait;
use karcis_booking_service::{
    application::{
        Bookings, Change, DueTimer, EventEdit, Events, OpenEvent, OpenEvents, Timers,
        UnconfirmedBookings,
    },
    domain::Booking,
};
use karcis_database::{KeyUse, Loaded, RequestKey, StoreError};
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};

use super::Ports;
use crate::seeded::{
    broker::Group,
    messages::Content,
    processes::instance_name,
    random::hash,
    rows::{Open, sent},
    world::{Signal, State},
};

#[async_trait]
impl Bookings for Ports {
    async fn load(&self, ids: &[BookingId]) -> Result<Loaded<Booking>, StoreError> {
        let ports = self.about(ids.first().map(|id| id.0));
        let load = |state: &mut State| {
            let mut found = state.tables.bookings.load(ids);
            let stored = found.iter().map(|booking| booking.order.id.0).collect::<Vec<_>>();
            let unreadable = state.unreadable(Group::Booking, "booking", stored);
            found.retain(|booking| unreadable.iter().all(|row| row.id != booking.order.id.0));
            Loaded { found, unreadable }
        };
        ports.read(load).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<HashSet<BookingId>, StoreError> {
        let ports = self.about(changes.first().map(|change| change.id().0));
        ports.write(|state| commit(state, self.instance, changes)).await
    }

    async fn key_uses(
        &self,
        keys: &[RequestKey],
        now: Timestamp,
    ) -> Result<Vec<KeyUse>, StoreError> {
        self.read(|state| state.tables.bookings.key_uses(keys, now)).await
    }
}

fn commit(state: &mut State, instance: usize, changes: Vec<Change>) -> HashSet<BookingId> {
    let State { faults, obstacles, .. } = state;
    let is_locked = |id: BookingId| obstacles.is_locked(faults, Group::Booking, id.0);
    let (written, conflicts) = state.tables.bookings.commit(changes, is_locked);
    for change in &written {
        tell(state, instance, change);
        let is_resumed = change.act.as_ref().is_some_and(|act| act.action == "resume_saga");
        if is_resumed && change.before.as_ref() != Some(&change.after) {
            state.violate(10, || format!("what is sent again changes {}", change.id().0));
        }
        state.trace = hash(&[state.trace, change.id().0.as_u128() as u64]);
    }
    let messages = sent(&written);
    for message in &messages {
        if let Content::Notification(fact) = &message.content {
            state.told.happened(fact);
        }
    }
    state.send(Group::Booking, messages);
    state.notify(Signal::Work(Group::Booking));
    let ids: Vec<BookingId> = written.iter().map(Change::id).collect();
    state.check(&ids, None);
    conflicts
}

fn tell(state: &mut State, instance: usize, change: &Change) {
    let name = state.name(change.id().0);
    let instance = instance_name(instance);
    for entry in &change.log {
        let from = entry.from.unwrap_or("new");
        let sent = if entry.sent.is_empty() { "nothing".to_owned() } else { entry.sent.join(", ") };
        let (input, to) = (entry.input, entry.to);
        state.tell(|| format!("{instance} commits {name}: {from} → {to} by {input}, sends {sent}"));
    }
    if change.log.is_empty() {
        let sent: Vec<_> = change.messages.iter().map(|sent| sent.message.name()).collect();
        state.tell(|| format!("{instance} sends {} of {name} again", sent.join(", ")));
    }
}

#[async_trait]
impl UnconfirmedBookings for Ports {
    async fn unconfirmed_of(
        &self,
        buyer: UserId,
        after: Option<BookingId>,
        limit: u16,
    ) -> Result<Vec<BookingId>, StoreError> {
        let ports = self.about(Some(buyer.0));
        ports.read(|state| state.tables.bookings.unconfirmed_of(buyer, after, limit)).await
    }
}

#[async_trait]
impl Timers for Ports {
    async fn due(
        &self,
        at: Timestamp,
        skipped: &[BookingId],
        limit: u16,
    ) -> Result<Vec<DueTimer>, StoreError> {
        self.write(|state| {
            let now = state.now(None);
            state.tables.bookings.due(at, now, skipped, limit)
        })
        .await
    }
}

#[async_trait]
impl Events for Ports {
    async fn record_edits(&self, edits: &[EventEdit], at: Timestamp) -> Result<(), StoreError> {
        self.write(|state| {
            edits.iter().for_each(|edit| state.tables.bookings.known.record_edit(edit, at));
            state.notify(Signal::Work(Group::Booking));
        })
        .await
    }

    async fn record_cancelled(
        &self,
        events: &[(EventId, String)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(|state| {
            let known = &mut state.tables.bookings.known;
            events.iter().for_each(|(id, reason)| known.record_cancelled(*id, reason, at));
            state.notify(Signal::Work(Group::Booking));
        })
        .await
    }

    async fn forget(&self, events: &[EventId]) -> Result<(), StoreError> {
        self.write(|state| events.iter().for_each(|id| state.tables.bookings.known.forget(*id)))
            .await
    }
}

/// The events that are open for one reason.
pub(crate) struct Opened(pub(crate) Ports, pub(crate) Open);

#[async_trait]
impl OpenEvents for Opened {
    async fn next(&self, skipped: &[EventId]) -> Result<Option<OpenEvent>, StoreError> {
        self.0.read(|state| state.tables.bookings.known.next(self.1, skipped)).await
    }

    async fn bookings_of(
        &self,
        event: EventId,
        skipped: &[BookingId],
        limit: u16,
        _seats: usize,
    ) -> Result<Vec<BookingId>, StoreError> {
        self.0.read(|state| state.tables.bookings.bookings_of(self.1, event, skipped, limit)).await
    }

    async fn is_awaited(&self, event: EventId, rejected: &[BookingId]) -> Result<bool, StoreError> {
        self.0.read(|state| state.tables.bookings.is_awaited(self.1, event, rejected)).await
    }

    async fn done(&self, event: OpenEvent) -> Result<(), StoreError> {
        self.0.write(|state| state.tables.bookings.known.done(self.1, event)).await
    }
}
