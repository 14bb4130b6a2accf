//! What waits for a process, and since when.

use std::{collections::BTreeMap, time::Duration};

use karcis_kernel::{BookingId, EventId, Timestamp};
use karcis_process::timer::monotonic;

use super::{
    broker::{Group, Partition},
    rows::Open,
};

/// What a process of a service can do now. What it does changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// The oldest message of the outbox.
    Send(u64),
    /// The oldest message that nobody has handled.
    Read(Partition, usize),
    Timer(Timestamp, BookingId),
    AskProvider(Timestamp, BookingId),
    TellBooking(Open, BookingId),
    Announce(Timestamp, EventId),
}

/// When it was first seen, and how often the store had failed until then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) failures: u32,
}

/// What waits, and what has been in its way.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) waiting: BTreeMap<(Group, Work), Seen>,
    /// How often the service's store has failed a statement.
    pub(crate) failures: BTreeMap<Group, u32>,
    /// When the last of its instances died or began to stand still, or the first of them came back to none.
    pub(crate) struck_at: BTreeMap<Group, Duration>,
}

impl Progress {
    pub(crate) fn store_failed(&mut self, group: Group) {
        *self.failures.entry(group).or_default() += 1;
    }

    pub(crate) fn struck(&mut self, group: Group) {
        self.struck_at.insert(group, monotonic());
    }
}
