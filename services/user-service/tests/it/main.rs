//! user-service as a black box, on real Kafka and Postgres.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod first_admin;
mod harness;
mod input;
mod keys;
mod login_throttle;
mod logs;
mod mail;
mod mail_server;
mod messages;
mod notifications;
mod profile;
mod roles;
mod schema_version;
mod sessions;
