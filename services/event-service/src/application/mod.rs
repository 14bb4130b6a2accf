//! What can be done with events, a file for each use case, and the ports they need.

pub mod announce_cancelled;
pub mod cancel_event;
pub mod create_event;
pub mod delete_event;
pub mod ports;
pub mod publish_event;
pub mod take_commands;
pub mod unpublish_event;
pub mod update_event;
