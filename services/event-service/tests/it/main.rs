//! event-service as a black box, on real Kafka and Postgres.

mod audit;
mod cancelling;
mod catalogue;
mod commands;
mod editing;
mod harness;
mod limits;
mod locked;
mod lost_commits;
mod many;
mod many_events;
mod meeting;
mod per_buyer;
mod pools;
mod racing;
mod repeating;
mod silence;
mod tickets;
mod unreadable;
