//! Kafka: the messages that come in, and the messages that go out.

mod consumer;
mod messages;

pub(crate) use consumer::Replies;
pub(crate) use messages::encode;
