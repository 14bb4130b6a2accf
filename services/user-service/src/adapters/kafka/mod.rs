//! The messages that this service reads and writes.

mod consumer;
pub(crate) mod messages;

pub(crate) use consumer::BookingsConsumer;
