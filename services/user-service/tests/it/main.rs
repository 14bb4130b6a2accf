//! user-service as a black box, on real Kafka and Postgres.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod audit;
mod booking_mails;
mod disabling;
mod ending_sessions;
mod erasure;
mod first_admin;
mod harness;
mod input;
mod keys;
mod limits;
mod login_throttle;
mod logs;
mod lost_commits;
mod mail;
mod mail_limits;
mod mail_server;
mod messages;
mod notifications;
mod password_reset;
mod passwords;
mod profile;
mod roles;
mod schema_version;
mod security_events;
mod session_list;
mod sessions;
mod silence;
mod texts;
mod tickets;
mod unreadable;
mod verification;
