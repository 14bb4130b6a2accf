//! What runs in a process of each service besides its requests: the loops of its adapters in thin form, around
//! the real use cases and in the order of effects that the real ones have.

mod booking;
mod consumer;
mod event;
mod payment;
mod relay;
mod user;

use std::sync::Arc;

use super::{
    broker::Group,
    ports::Ports,
    processes::group_of,
    random::hash,
    world::{Task, World},
};

pub(crate) use booking::{PAYMENT_WINDOW, resends};

/// Starts what runs in this process.
pub(crate) fn start(world: &Arc<World>, instance: usize) {
    let ports = Ports::new(world.clone(), instance);
    let group = group_of(instance);
    let mut tasks: Vec<Task> = vec![Box::pin(relay::send_outbox(ports.clone(), group))];
    match group {
        Group::Booking => tasks.extend(booking::tasks(&ports)),
        Group::Event => tasks.extend(event::tasks(&ports)),
        Group::Payment => tasks.extend(payment::tasks(&ports)),
        Group::User => tasks.extend(user::tasks(&ports)),
    }
    let state = &mut *world.lock();
    let epoch = state.processes[instance].epoch;
    for (number, task) in (0_u64..).zip(tasks) {
        state.spawn(hash(&[17, instance as u64, epoch, number]), Some(instance), task);
    }
}
