//! What a deployment does once before its services start: databases and topics.

mod migrate;
mod topics;

pub(crate) use migrate::{MigrateOptions, migrate};
pub(crate) use topics::{TopicOptions, topics};
