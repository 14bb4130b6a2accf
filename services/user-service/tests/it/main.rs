//! user-service as a black box, on real Kafka and Postgres.

#![allow(clippy::unwrap_used)]

mod first_admin;
mod guessing;
mod input;
mod instance;
mod keys;
mod logs;
mod mail;
mod mail_server;
mod messages;
mod notices;
mod profile;
mod roles;
mod sessions;
