//! event-service as a black box, on real Kafka and Postgres.

mod audit;
mod cancelling;
mod catalogue;
mod commands;
mod editing;
mod harness;
mod lost_commits;
mod meeting;
mod racing;
mod tickets;
mod unreadable;
