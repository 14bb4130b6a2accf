//! Commands come in, replies and facts go out.

mod consumer;
mod messages;

pub(crate) use consumer::Commands;
pub(crate) use messages::encode;
