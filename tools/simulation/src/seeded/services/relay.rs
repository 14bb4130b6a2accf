//! The sender of an outbox. It stands for `relay.rs` and `sender.rs` of `crates/messaging`: one instance reads,
//! sends, waits for the acks and deletes; one that stood still sends what it had read, although another has
//! taken over meanwhile.

use std::time::Duration;

use karcis_process::timer::{monotonic, wait};

use crate::seeded::{
    broker::Group,
    faults::FaultKind,
    messages::Message,
    ports::Ports,
    processes::{RELAY_SESSION, instance_name},
    random::hash,
    world::{Signal, State},
};

/// Without a signal the outbox is looked at again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Sends what is there for as long as the process lives.
pub(super) async fn send_outbox(ports: Ports, group: Group) {
    let (world, instance) = (ports.world.clone(), ports.instance);
    loop {
        world.step(Some(instance), instance as u64).await;
        let rows = {
            let state = &mut *world.lock();
            if own(state, group, instance) { read(state, group) } else { vec![] }
        };
        if rows.is_empty() {
            world.wait_for(Signal::Outbox(group), LOOK_AGAIN).await;
            continue;
        }
        let place = place_of(&rows[0].1);
        {
            let state = &mut *world.lock();
            if state.faults.strikes(FaultKind::FreezeWithUnsent, place) {
                let more = Duration::from_millis(1_000 + state.faults.how_much(24_000));
                state.freeze(instance, RELAY_SESSION + more);
            }
        }
        world.step(Some(instance), place).await;
        let acknowledged = {
            let state = &mut *world.lock();
            send(state, &ports, &rows)
        };
        world.step(Some(instance), place).await;
        let is_broken = acknowledged.len() < rows.len();
        {
            let state = &mut *world.lock();
            // A connection that has lost the lock can delete nothing.
            if own(state, group, instance)
                && let Some(outbox) = state.outboxes.get_mut(&group)
            {
                outbox.rows.retain(|(id, _)| !acknowledged.contains(id));
            }
        }
        if is_broken {
            wait(Duration::from_millis(500)).await;
        }
    }
}

/// Whether this instance has the outbox's lock, which it takes if nobody has it.
fn own(state: &mut State, group: Group, instance: usize) -> bool {
    let epoch = state.processes[instance].epoch;
    let owner = state.outboxes.get(&group).and_then(|outbox| outbox.owner);
    let has_it = |(owner, owned): (usize, u64)| {
        let process = &state.processes[owner];
        let silent = process.silent_since.filter(|_| process.frozen_until.is_some());
        process.epoch == owned && silent.is_none_or(|since| monotonic() - since < RELAY_SESSION)
    };
    match owner.filter(|owner| has_it(*owner)) {
        Some(owner) => owner == (instance, epoch),
        None => {
            if let Some(outbox) = state.outboxes.get_mut(&group) {
                outbox.owner = Some((instance, epoch));
            }
            true
        }
    }
}

fn read(state: &State, group: Group) -> Vec<(u64, Message)> {
    let drawn = hash(&[state.seed, 23, state.running.name, state.running.steps]);
    let limit = 1 + (drawn % 30) as usize;
    state
        .outboxes
        .get(&group)
        .into_iter()
        .flat_map(|it| it.rows.iter().take(limit))
        .cloned()
        .collect()
}

/// Sends the messages in their order; returns the rows that the broker has acknowledged.
fn send(state: &mut State, ports: &Ports, rows: &[(u64, Message)]) -> Vec<u64> {
    let instance = ports.instance;
    let mut acknowledged = vec![];
    if state.is_broker_down() {
        return acknowledged;
    }
    for (id, message) in rows {
        let place = place_of(message);
        if state.faults.strikes(FaultKind::SendBroken, place) {
            state.tell(|| {
                format!("the connection of {} to the broker breaks", instance_name(instance))
            });
            break;
        }
        let name = state.name(message.subject());
        let told = |what: &str| format!("the broker {what} {} of {name}", message.name());
        let is_repeated = message.topic.is_repeated();
        if is_repeated && state.faults.strikes(FaultKind::MessageLost, place) {
            state.tell(|| told("acknowledges and loses"));
            acknowledged.push(*id);
            continue;
        }
        if is_repeated && state.faults.strikes(FaultKind::MessageLate, place) {
            state.tell(|| told("loses for now"));
            send_late(state, ports, message.clone());
            acknowledged.push(*id);
            continue;
        }
        state.broker.append(message.clone());
        if state.faults.strikes(FaultKind::Poison, message.topic as u64) {
            state.poison(message);
        }
        if state.faults.strikes(FaultKind::MessageDoubled, place) {
            state.tell(|| told("has twice"));
            state.broker.append(message.clone());
        }
        if state.faults.strikes(FaultKind::AckLost, place) {
            state.tell(|| told("has, and does not acknowledge,"));
            break;
        }
        acknowledged.push(*id);
    }
    let sent = |group: &Group| rows.iter().any(|(_, it)| group.topics().contains(&it.topic));
    for group in Group::ALL.into_iter().filter(sent) {
        state.notify(Signal::Group(group));
    }
    acknowledged
}

/// Where a fault of this message strikes.
fn place_of(message: &Message) -> u64 {
    hash(&[message.topic as u64, message.subject().as_u128() as u64])
}

/// Another relay, which had read the message before it stood still, sends it later.
fn send_late(state: &mut State, ports: &Ports, message: Message) {
    let after = Duration::from_millis(500 + state.faults.how_much(49_500));
    let (world, name) = (ports.world.clone(), hash(&[97, message.key.as_u128() as u64]));
    let sending = Box::pin(async move {
        wait(after).await;
        let state = &mut *world.lock();
        let about = state.name(message.subject());
        state.tell(|| format!("the broker has {} of {about}, late", message.name()));
        for group in Group::ALL.into_iter().filter(|it| it.topics().contains(&message.topic)) {
            state.notify(Signal::Group(group));
        }
        state.broker.append(message);
    });
    state.spawn(name, None, sending);
}
