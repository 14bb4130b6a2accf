//! The ids of a plan's people, events and ticket types.

use karcis_kernel::{EventId, TicketTypeId, UserId};
use uuid::Uuid;

use super::random::hash;

pub(crate) fn user(seed: u64, number: u64) -> UserId {
    UserId(id(&[seed, 37, number]))
}

pub(crate) fn event(seed: u64, index: usize) -> EventId {
    EventId(id(&[seed, 41, index as u64]))
}

pub(crate) fn ticket_type(seed: u64, event: usize, index: usize) -> TicketTypeId {
    TicketTypeId(id(&[seed, 43, event as u64, index as u64]))
}

fn id(numbers: &[u64]) -> Uuid {
    let high = hash(numbers);
    Uuid::from_u128(u128::from(high) << 64 | u128::from(hash(&[high])))
}
