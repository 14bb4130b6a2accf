//! Kafka: which messages come in and what they mean, and how messages go out.

mod outgoing;
mod replies;

pub use outgoing::outgoing;
pub use replies::Replies;
