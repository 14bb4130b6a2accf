//! The messages that this service reads and writes.

mod consumer;
mod messages;

pub(crate) use consumer::BookingFacts;
pub(crate) use messages::encode;
