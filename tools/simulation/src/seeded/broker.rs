//! The broker: topics of partitions, and groups that share them. It keeps what Kafka guarantees: within a
//! partition the order in which messages were written, to each group every message at least once.

use std::collections::BTreeMap;

use super::{
    messages::{Content, Message, Topic},
    random::hash,
};

/// How many partitions a topic has.
const PARTITIONS: usize = 3;

/// A partition of a topic.
pub(crate) type Partition = (Topic, usize);

/// A service's consumer group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Group {
    Booking,
    Event,
    Payment,
    User,
}

impl Group {
    pub(crate) const ALL: [Self; 4] = [Self::Booking, Self::Event, Self::Payment, Self::User];

    /// The topics that it reads.
    pub(crate) fn topics(self) -> &'static [Topic] {
        match self {
            Self::Booking => {
                &[Topic::Tickets, Topic::TicketCodes, Topic::Payments, Topic::Events, Topic::Users]
            }
            Self::Event => &[Topic::EventCommands],
            Self::Payment => &[Topic::PaymentCommands],
            Self::User => &[Topic::Bookings],
        }
    }
}

/// What a group knows.
#[derive(Debug, Default)]
struct GroupState {
    /// Rises with each change of who reads what.
    generation: u64,
    /// Its members, by their instance.
    members: Vec<usize>,
    committed: BTreeMap<Partition, usize>,
}

/// All topics and groups.
#[derive(Debug)]
pub(crate) struct Broker {
    logs: BTreeMap<Partition, Vec<Message>>,
    groups: BTreeMap<Group, GroupState>,
    /// Which messages a group has handled at least once.
    handled: BTreeMap<(Group, Partition), Vec<bool>>,
}

impl Default for Broker {
    fn default() -> Self {
        let partitions =
            Topic::ALL.into_iter().flat_map(|topic| (0..PARTITIONS).map(move |n| (topic, n)));
        Self {
            logs: partitions.map(|partition| (partition, Vec::new())).collect(),
            groups: Group::ALL.into_iter().map(|group| (group, GroupState::default())).collect(),
            handled: BTreeMap::new(),
        }
    }
}

impl Broker {
    /// Appends the message to its key's partition.
    pub(crate) fn append(&mut self, message: Message) {
        let partition = hash(&[message.key.as_u128() as u64]) as usize % PARTITIONS;
        self.logs.entry((message.topic, partition)).or_default().push(message);
    }

    /// Deletes the topic and makes it again; where groups were in it is forgotten, too.
    pub(crate) fn reset(&mut self, topic: Topic) {
        for (_, log) in self.logs.iter_mut().filter(|((of, _), _)| *of == topic) {
            log.clear();
        }
        self.handled.retain(|(_, (of, _)), _| *of != topic);
        for group in self.groups.values_mut() {
            group.committed.retain(|(of, _), _| *of != topic);
            group.generation += 1;
        }
    }

    /// The group begins at the first message of everything.
    pub(crate) fn rewind(&mut self, group: Group) {
        let group = self.group(group);
        group.committed.clear();
        group.generation += 1;
    }

    /// The members share the partitions in another way.
    pub(crate) fn rebalance(&mut self, group: Group) {
        let group = self.group(group);
        group.members.reverse();
        group.generation += 1;
    }

    /// Who is in the group from now on.
    pub(crate) fn set_members(&mut self, group: Group, members: Vec<usize>) {
        let group = self.group(group);
        let mut known = group.members.clone();
        known.sort_unstable();
        if known != members {
            group.members = members;
            group.generation += 1;
        }
    }

    /// The group's generation, and the partitions that this member has in it, each with where it begins.
    pub(crate) fn assignment(
        &mut self,
        group: Group,
        member: usize,
    ) -> (u64, BTreeMap<Partition, usize>) {
        let topics = group.topics();
        let state = self.group(group);
        let Some(place) = state.members.iter().position(|it| *it == member) else {
            return (state.generation, BTreeMap::new());
        };
        let count = state.members.len();
        let all = topics.iter().flat_map(|topic| (0..PARTITIONS).map(move |n| (*topic, n)));
        let own =
            all.enumerate().filter(|(n, _)| n % count == place).map(|(_, partition)| partition);
        let at =
            |partition| (partition, state.committed.get(&partition).copied().unwrap_or_default());
        (state.generation, own.map(at).collect())
    }

    pub(crate) fn generation(&self, group: Group) -> u64 {
        self.groups.get(&group).map_or(0, |group| group.generation)
    }

    /// Up to `limit` messages of the partition from this offset on.
    pub(crate) fn read(&self, partition: Partition, from: usize, limit: usize) -> &[Message] {
        let log = self.logs.get(&partition).map_or(&[][..], Vec::as_slice);
        let rest = log.get(from..).unwrap_or_default();
        &rest[..rest.len().min(limit)]
    }

    /// The member has handled everything before these offsets; nothing if it is of an older generation.
    pub(crate) fn commit(
        &mut self,
        group: Group,
        generation: u64,
        next: &BTreeMap<Partition, usize>,
    ) -> bool {
        let group = self.group(group);
        let is_member = group.generation == generation;
        if is_member {
            group.committed.extend(next);
        }
        is_member
    }

    /// The group has handled this message.
    pub(crate) fn handled(&mut self, group: Group, partition: Partition, offset: usize) {
        let handled = self.handled.entry((group, partition)).or_default();
        handled.resize(handled.len().max(offset + 1), false);
        handled[offset] = true;
    }

    /// Of each partition the first message that the group has never handled, without those that wait.
    pub(crate) fn unhandled(
        &self,
        group: Group,
        waits: impl Fn(&Message) -> bool,
    ) -> Vec<(Partition, usize)> {
        let logs = self.logs.iter().filter(|((topic, _), _)| group.topics().contains(topic));
        let first = logs.filter_map(|(partition, log)| {
            let handled = self.handled.get(&(group, *partition)).map_or(&[][..], Vec::as_slice);
            let is_open = |(offset, message): &(usize, &Message)| {
                !handled.get(*offset).copied().unwrap_or_default() && !waits(message)
            };
            let (offset, _) = log.iter().enumerate().find(is_open)?;
            Some((*partition, offset))
        });
        first.collect()
    }

    /// The messages that nobody can handle.
    pub(crate) fn poisons(&self) -> impl Iterator<Item = u64> {
        self.logs.values().flatten().filter_map(|message| match message.content {
            Content::Poison(number, _) => Some(number),
            _ => None,
        })
    }

    /// How many messages the group has not handled.
    pub(crate) fn lag(&self, group: Group) -> usize {
        let committed = self.groups.get(&group).map(|group| &group.committed);
        let logs = self.logs.iter().filter(|((topic, _), _)| group.topics().contains(topic));
        logs.map(|(partition, log)| {
            let committed = committed.and_then(|it| it.get(partition)).copied();
            log.len().saturating_sub(committed.unwrap_or_default())
        })
        .sum()
    }

    fn group(&mut self, group: Group) -> &mut GroupState {
        self.groups.entry(group).or_default()
    }
}
