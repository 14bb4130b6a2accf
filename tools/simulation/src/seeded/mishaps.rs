//! Rows that become unreadable, messages that nobody can handle, and what waits for operators.

use std::time::Duration;

use karcis_database::UnreadableRow;
use karcis_event_service::domain::{Command, HoldRef};
use karcis_kernel::{BookingId, EventId};
use karcis_process::timer::monotonic;
use uuid::Uuid;

use super::{
    broker::Group,
    faults::FaultKind,
    messages::{Content, Message, Topic},
    rows::Tables,
    world::State,
};

impl State {
    /// Which of these rows cannot be read.
    pub(crate) fn unreadable(
        &mut self,
        group: Group,
        row: &'static str,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Vec<UnreadableRow> {
        let now = monotonic();
        let mut found = vec![];
        for id in ids {
            if self.faults.strikes(FaultKind::Unreadable, id.as_u128() as u64) {
                let time = Duration::from_millis(5_000 + self.faults.how_much(55_000));
                self.obstacles.unreadable.insert((group, id), now + time);
                let name = self.name(id);
                self.tell(|| {
                    format!("the {row} of {name} is unreadable for {:.1} s", time.as_secs_f64())
                });
            }
            let until = self.obstacles.unreadable.get(&(group, id));
            if until.is_some_and(|until| *until > now) && !self.faults.are_over() {
                found.push(UnreadableRow { row, id, why: "it is damaged".to_owned() });
            }
        }
        found
    }

    /// After `message` comes one that nobody can handle: no service can decode it, or carry it out.
    pub(crate) fn poison(&mut self, message: &Message) {
        let number = self.obstacles.poisons;
        self.obstacles.poisons += 1;
        let booking = BookingId(message.subject());
        // The hold of another event: a command that would be about no hold could be carried out.
        let is_held = self.tables.events.hold(booking).is_some();
        let has_command =
            message.topic == Topic::EventCommands && is_held && number.is_multiple_of(2);
        let of_another = HoldRef { booking_id: booking, event_id: EventId(Uuid::from_u128(9)) };
        let command = has_command.then_some(Command::Release(of_another));
        self.tell(|| format!("a poison message comes to {:?}", message.topic));
        let content = Content::Poison(number, command);
        self.broker.append(Message { content, ..message.clone() });
    }

    /// A service dead-letters a message; `false`: it should have handled it.
    pub(crate) fn dead_letter(&mut self, group: Group, message: &Message) -> bool {
        self.obstacles.set_aside(group, message.clone());
        match message.content {
            Content::Poison(number, _) => {
                self.obstacles.dead.insert(number);
                true
            }
            _ => self.obstacles.holds(group, message),
        }
    }

    /// Late money that only an operator finds, as its webhook was lost.
    pub(crate) fn unknown_money(&self) -> impl Iterator<Item = BookingId> {
        let Tables { provider, payments, .. } = &self.tables;
        provider.untold().filter(|intent| {
            let known = payments.payment(*intent).map_or(0, |payment| payment.captured.amount);
            known < provider.sums(*intent).0
        })
    }
}
