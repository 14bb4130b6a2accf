//! Commands in, facts out.

mod consumer;
mod messages;

pub(crate) use consumer::Commands;
pub(crate) use messages::encode;
