//! What is in the way of single bookings and events, and of nobody else: rows that cannot be read or that others
//! have locked for long, and messages that nobody can handle.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use karcis_process::timer::monotonic;
use uuid::Uuid;

use super::{
    broker::Group,
    faults::{FaultKind, Faults},
    messages::{Content, Message},
};

/// For so long after a row can be read again, workers still leave it out, and it may be tried with what was read
/// of it before.
const LEFT_OUT: Duration = Duration::from_secs(65);

#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    /// By service and id: until when the row cannot be read.
    pub(crate) unreadable: BTreeMap<(Group, Uuid), Duration>,
    /// Until when another transaction has it.
    locked: BTreeMap<(Group, Uuid), Duration>,
    /// How many messages that nobody can handle were sent, and which of them are dead-lettered.
    pub(crate) poisons: u64,
    pub(crate) dead: BTreeSet<u64>,
    /// By their ids: what services could not handle.
    dead_letters: BTreeMap<u64, (Group, Message)>,
    /// How many of them there were.
    set_aside: u64,
}

impl Obstacles {
    /// Whether another transaction has the row.
    pub(crate) fn is_locked(&mut self, faults: &mut Faults, group: Group, id: Uuid) -> bool {
        let (now, place) = (monotonic(), id.as_u128() as u64);
        if faults.strikes(FaultKind::LockedLong, place) {
            let time = Duration::from_millis(1_000 + faults.how_much(59_000));
            self.locked.insert((group, id), now + time);
        }
        let is_locked = self.locked.get(&(group, id)).is_some_and(|until| *until > now);
        is_locked && !faults.are_over() || faults.strikes(FaultKind::Locked, place)
    }

    /// Whether something is, or was until just now, in the way of this booking or event.
    pub(crate) fn is_in_the_way(&self, group: Group, id: Uuid) -> bool {
        let is_recent =
            |until: Option<&Duration>, more| until.is_some_and(|until| *until + more > monotonic());
        is_recent(self.locked.get(&(group, id)), Duration::ZERO)
            || is_recent(self.unreadable.get(&(group, id)), LEFT_OUT)
    }

    /// Whether something is in the way of this message.
    pub(crate) fn holds(&self, group: Group, message: &Message) -> bool {
        let ids = [message.subject(), message.key];
        let is_erasure = matches!(message.content, Content::UserErased(_));
        ids.iter().any(|id| self.is_in_the_way(group, *id))
            || is_erasure && self.are_in_the_way(group)
    }

    /// Whether something is in the way of a booking or an event of this service.
    pub(crate) fn are_in_the_way(&self, group: Group) -> bool {
        self.of(group).any(|id| self.is_in_the_way(group, id))
    }

    /// Whether all rows of the service can be read.
    pub(crate) fn are_mended(&self, faults: &Faults, group: Group) -> bool {
        let is_open = |until: &Duration| *until > monotonic() && !faults.are_over();
        !self.unreadable.iter().any(|((of, _), until)| *of == group && is_open(until))
    }

    /// The service's operators are to look at this message.
    pub(crate) fn set_aside(&mut self, group: Group, message: Message) {
        self.dead_letters.insert(self.set_aside, (group, message));
        self.set_aside += 1;
    }

    pub(crate) fn dead_letters(&self) -> impl Iterator<Item = (u64, &(Group, Message))> {
        self.dead_letters.iter().map(|(id, dead_letter)| (*id, dead_letter))
    }

    /// It is no dead letter any more; `None`: it was none.
    pub(crate) fn take_dead_letter(&mut self, id: u64) -> Option<(Group, Message)> {
        self.dead_letters.remove(&id)
    }

    fn of(&self, group: Group) -> impl Iterator<Item = Uuid> {
        let rows = self.unreadable.keys().chain(self.locked.keys());
        rows.filter(move |(of, _)| *of == group).map(|(_, id)| *id)
    }

    /// Whether this message, which nobody can handle, is dead-lettered.
    pub(crate) fn is_dead(&self, poison: u64) -> bool {
        self.dead.contains(&poison)
    }
}
