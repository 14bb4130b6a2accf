//! Commands in, facts out.

mod consumer;
mod messages;

pub use consumer::Commands;
pub use messages::encode;
