//! Commands come in, replies and facts go out.

mod consumer;
mod messages;

pub use consumer::Commands;
pub use messages::encode;
