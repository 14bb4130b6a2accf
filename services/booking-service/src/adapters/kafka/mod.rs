//! Kafka: the messages that come in, and the messages that go out.

mod consumer;
mod messages;

pub use consumer::Replies;
pub use messages::encode;
