//! A member of a consumer group. It stands for `reader.rs`, `member.rs` and `held_back.rs` of
//! `crates/messaging`: take, handle, commit offsets; halve a batch down to what is poison; hold back what
//! others have locked, with all that is behind it.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use async_trait::async_trait;
use karcis_messaging::HandleError;
use karcis_process::timer::{monotonic, wait};
use uuid::Uuid;

use crate::seeded::{
    broker::{Group, Partition},
    faults::FaultKind,
    messages::{Content, Message},
    ports::Ports,
    processes::{Ground, INSTANCES, SESSION, instance_name},
    random::hash,
    world::{Signal, State},
};

/// Without a signal a member looks again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// When what is held back comes again.
const HELD_BACK: Duration = Duration::from_millis(200);
/// A batch that takes longer is left to others.
const LEAVE_AFTER: Duration = Duration::from_secs(60);

/// What a service does with messages.
#[async_trait]
pub(super) trait Handler: Send + Sync {
    /// Handles the messages, those of a key in their order.
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError>;
}

/// A message with where it is.
#[derive(Clone)]
struct Taken {
    partition: Partition,
    offset: usize,
    message: Message,
}

/// What a member knows of its group, and what it holds back.
struct Member {
    ports: Ports,
    group: Group,
    generation: Option<u64>,
    next: BTreeMap<Partition, usize>,
    held: Vec<Taken>,
}

/// The batch takes too long.
struct Overdue;

/// Reads and handles for as long as the process lives.
pub(super) async fn consume(ports: Ports, group: Group, handler: impl Handler) {
    let world = ports.world.clone();
    let instance = ports.instance;
    let mut member =
        Member { ports, group, generation: None, next: BTreeMap::new(), held: Vec::new() };
    loop {
        world.step(Some(instance), instance as u64).await;
        let (taken, is_down) = {
            let state = &mut *world.lock();
            let taken = member.take(state);
            (taken, state.down_until.get(&Ground::Broker).is_some_and(|until| *until > monotonic()))
        };
        if taken.is_empty() {
            let is_idle = member.held.is_empty() && !is_down;
            let pause = if is_idle { LOOK_AGAIN } else { HELD_BACK };
            world.wait_for(Signal::Group(group), pause).await;
        }
        // Those that were held back are tried first: they came before.
        let again = std::mem::take(&mut member.held);
        for batch in [again, taken] {
            match member.handle(&handler, batch).await {
                Ok(waiting) => member.held.extend(waiting),
                Err(Overdue) => {
                    member.generation = None;
                    member.held.clear();
                    break;
                }
            }
        }
        world.step(Some(instance), instance as u64).await;
        let state = &mut *world.lock();
        member.commit(state);
    }
}

impl Member {
    /// What is there for this member, in the group as it is now.
    fn take(&mut self, state: &mut State) -> Vec<Taken> {
        if state.is_broker_down() {
            return vec![];
        }
        self.strike(state);
        state.broker.set_members(self.group, living(state, self.group));
        if self.generation != Some(state.broker.generation(self.group)) {
            let (generation, next) = state.broker.assignment(self.group, self.ports.instance);
            (self.generation, self.next) = (Some(generation), next);
            self.held.clear();
        }
        let drawn = hash(&[state.seed, 19, state.running.name, state.running.steps]);
        let mut limit = 1 + (drawn % 30) as usize;
        let mut taken = vec![];
        for (partition, next) in &mut self.next {
            let messages = state.broker.read(*partition, *next, limit);
            let place = *next..;
            taken.extend(place.zip(messages).map(|(offset, message)| Taken {
                partition: *partition,
                offset,
                message: message.clone(),
            }));
            *next += messages.len();
            limit -= messages.len();
        }
        taken
    }

    /// What strikes the group; its other members hear of it.
    fn strike(&self, state: &mut State) {
        let (group, place) = (self.group, self.group as u64);
        if state.faults.strikes(FaultKind::Rewind, place) {
            state.broker.rewind(group);
            state.notify(Signal::Group(group));
            state.tell(|| format!("group {group:?} reads everything again"));
        }
        if state.faults.strikes(FaultKind::Rebalance, place) {
            state.broker.rebalance(group);
            state.notify(Signal::Group(group));
            state.tell(|| format!("the members of group {group:?} swap their partitions"));
        }
        let topics = group.topics().iter().filter(|topic| topic.is_repeated());
        for topic in topics {
            if state.faults.strikes(FaultKind::TopicReset, *topic as u64) {
                state.broker.reset(*topic);
                Group::ALL.into_iter().for_each(|group| state.notify(Signal::Group(group)));
                state.tell(|| format!("topic {topic:?} is deleted and made again"));
            }
        }
    }

    /// Commits how far everything is handled that is not held back.
    fn commit(&self, state: &mut State) {
        let mut next = self.next.clone();
        for held in &self.held {
            if let Some(next) = next.get_mut(&held.partition) {
                *next = held.offset.min(*next);
            }
        }
        if let Some(generation) = self.generation
            && !state.is_broker_down()
        {
            state.broker.commit(self.group, generation, &next);
        }
    }

    /// Handles what can be handled; returns the rest, which waits for what others have locked.
    async fn handle(
        &self,
        handler: &impl Handler,
        batch: Vec<Taken>,
    ) -> Result<Vec<Taken>, Overdue> {
        let (undecodable, batch): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|it| matches!(it.message.content, Content::Poison(_, None)));
        undecodable.iter().for_each(|it| self.dead_letter(it, "it cannot be decoded"));
        let mut waiting: Vec<Taken> = vec![];
        let mut keys: HashSet<Uuid> = self.held.iter().map(|it| it.message.key).collect();
        // The first on top.
        let mut left = vec![batch];
        while let Some(part) = left.pop() {
            let (behind, part): (Vec<_>, Vec<_>) =
                part.into_iter().partition(|it| keys.contains(&it.message.key));
            waiting.extend(behind);
            if part.is_empty() {
                continue;
            }
            match self.retrying(handler, &part).await? {
                Ok(()) => self.handled(&part),
                Err(HandleError::Contended { open: Some(open), .. }) => {
                    let is_done = |(index, _): &(usize, _)| !open.contains(index);
                    let done = part.iter().enumerate().filter(is_done).map(|(_, it)| it.clone());
                    self.handled(&done.collect::<Vec<_>>());
                    let open_keys = open.iter().map(|index| part[*index].message.key);
                    let locked: HashSet<Uuid> = open_keys.collect();
                    // Who names one names the later ones of its key, too.
                    waiting.extend(open.iter().map(|index| part[*index].clone()));
                    keys.extend(locked);
                }
                Err(HandleError::Contended { open: None, .. }) if part.len() == 1 => {
                    keys.insert(part[0].message.key);
                    waiting.extend(part);
                }
                Err(HandleError::Contended { open: None, .. }) => {
                    left.extend(part.into_iter().rev().map(|one| vec![one]));
                }
                Err(error) if part.len() == 1 => self.dead_letter(&part[0], &error.to_string()),
                Err(_) => {
                    let mut first = part;
                    let second = first.split_off(first.len() / 2);
                    left.extend([second, first]);
                }
            }
        }
        Ok(waiting)
    }

    /// The same batch again for as long as the service cannot work.
    async fn retrying(
        &self,
        handler: &impl Handler,
        part: &[Taken],
    ) -> Result<Result<(), HandleError>, Overdue> {
        let batch: Vec<Message> = part.iter().map(|taken| taken.message.clone()).collect();
        let began = monotonic();
        let mut pause = Duration::from_millis(100);
        loop {
            match handler.handle(&batch).await {
                Err(HandleError::Unavailable(_)) if monotonic() - began > LEAVE_AFTER => {
                    return Err(Overdue);
                }
                Err(HandleError::Unavailable(_)) => wait(pause).await,
                handled => return Ok(handled),
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    fn handled(&self, part: &[Taken]) {
        let broker = &mut self.ports.world.lock().broker;
        if self.generation == Some(broker.generation(self.group)) {
            part.iter().for_each(|it| broker.handled(self.group, it.partition, it.offset));
        }
    }

    fn dead_letter(&self, taken: &Taken, error: &str) {
        self.handled(std::slice::from_ref(taken));
        let (message, state) = (&taken.message, &mut *self.ports.world.lock());
        let about = state.name(message.subject());
        let (instance, name) = (instance_name(self.ports.instance), message.name());
        let what = format!("{instance} dead-letters {name} of {about}: {error}");
        state.tell(|| what.clone());
        if !state.dead_letter(self.group, message) {
            state.violate(14, || what);
        }
    }
}

/// The instances of the group that were heard of within their session.
fn living(state: &State, group: Group) -> Vec<usize> {
    let first = group as usize * INSTANCES;
    let is_living = |instance: &usize| {
        let silent = state.processes[*instance].silent_since;
        silent.is_none_or(|since| monotonic() - since < SESSION)
    };
    (first..first + INSTANCES).filter(is_living).collect()
}
