//! event-service as a black box, on real Kafka and Postgres.

mod audit;
mod cancelling;
mod catalogue;
mod commands;
mod editing;
mod harness;
mod locked;
mod lost_commits;
mod many;
mod meeting;
mod pools;
mod racing;
mod silence;
mod tickets;
mod unreadable;
