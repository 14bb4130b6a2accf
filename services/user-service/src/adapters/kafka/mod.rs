//! The messages that this service reads and writes.

mod consumer;
pub mod messages;

pub use consumer::BookingsConsumer;
