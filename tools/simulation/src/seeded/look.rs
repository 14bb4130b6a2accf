//! Looks at what waits for a process: one that dies or stands still delays it for no longer than others need to take
//! over.

use std::time::Duration;

use karcis_kernel::BookingId;
use karcis_process::timer::monotonic;

use super::{
    broker::Group,
    processes::{Ground, INSTANCES},
    progress::{Seen, Work},
    rows::Open,
    world::State,
};

/// Within this time others have taken over. Looks at what waits are 5 s apart, and what waits is timed from the
/// first of them.
const TAKEN_OVER: Duration = Duration::from_secs(30);
/// A statement that the store fails is tried again after this time at the latest.
const RETRIED: Duration = Duration::from_secs(5);

impl State {
    /// How many instances of the service neither are dead nor stand still.
    pub(crate) fn running(&self, group: Group) -> usize {
        let first = group as usize * INSTANCES;
        let processes = &self.processes[first..first + INSTANCES];
        processes.iter().filter(|process| process.silent_since.is_none()).count()
    }

    /// Requires of all that waits that it has not waited for long. Call it each 5 s.
    pub(crate) fn check_progress(&mut self) {
        let now = monotonic();
        let before = std::mem::take(&mut self.progress.waiting);
        for group in Group::ALL {
            let failures = self.progress.failures.get(&group).copied().unwrap_or_default();
            let free_since = self.free_since(group, now);
            for work in self.work(group) {
                let new = Seen { at: now, failures };
                let seen = before.get(&(group, work)).copied().unwrap_or(new);
                self.progress.waiting.insert((group, work), seen);
                let limit = TAKEN_OVER + RETRIED * (failures - seen.failures);
                let waited = now.saturating_sub(seen.at.max(free_since));
                if waited > limit {
                    let waited = waited.as_secs();
                    // What is about the row in the way is not among the work.
                    let rule = if self.obstacles.are_in_the_way(group) { 14 } else { 12 };
                    self.violate(rule, || format!("{work:?} of {group:?} waits for {waited} s"));
                }
            }
        }
    }

    /// Since when a process of the service could work, and nothing has happened to another.
    fn free_since(&self, group: Group, now: Duration) -> Duration {
        if self.running(group) == 0 {
            return now;
        }
        let struck = self.progress.struck_at.get(&group).copied().unwrap_or_default();
        let grounds = [Ground::StoreOf(group), Ground::Broker];
        let down = grounds.into_iter().filter_map(|ground| self.down_until.get(&ground));
        down.fold(struck, |since, until| since.max(now.min(*until)))
    }

    /// All that a process of the service can do now.
    fn work(&self, group: Group) -> Vec<Work> {
        let now = self.now(None);
        let first = self.outboxes.get(&group).and_then(|outbox| outbox.rows.front());
        let mut work: Vec<Work> = first.map(|(id, _)| Work::Send(*id)).into_iter().collect();
        let unread = self.broker.unhandled(group, |message| self.obstacles.holds(group, message));
        work.extend(unread.into_iter().map(|(partition, offset)| Work::Read(partition, offset)));
        let is_free = |id: &BookingId| !self.obstacles.is_in_the_way(group, id.0);
        match group {
            Group::Booking => {
                let due = self.tables.bookings.due_timers(now).filter(|(_, id)| is_free(id));
                work.extend(due.map(|(at, id)| Work::Timer(at, id)));
                for why in [Open::Cancelled, Open::Moved] {
                    let untold = self.tables.bookings.untold(why).into_iter();
                    work.extend(untold.filter(is_free).map(|id| Work::TellBooking(why, id)));
                }
            }
            Group::Payment => {
                let due = self.tables.payments.due(now).filter(|(_, id)| is_free(id));
                work.extend(due.map(|(at, id)| Work::AskProvider(at, id)));
            }
            Group::Event => {
                let due = self.tables.events.due(now, u16::MAX).into_iter();
                work.extend(due.filter_map(|event| {
                    let at = self.tables.events.get(event.id)?.announce_at?;
                    Some(Work::Announce(at, event.id))
                }));
            }
            // An e-mail is claimed for a minute.
            Group::User => {}
        }
        work
    }
}
