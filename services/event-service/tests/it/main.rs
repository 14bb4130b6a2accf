//! event-service as a black box, on real Kafka and Postgres.

mod audit;
mod cancelling;
mod catalogue;
mod commands;
mod dates;
mod editing;
mod harness;
mod holds;
mod limits;
mod lists;
mod locked;
mod lost_commits;
mod many;
mod many_events;
mod meeting;
mod moving;
mod per_buyer;
mod pools;
mod racing;
mod repeating;
mod round_trip;
mod search;
mod silence;
mod texts;
mod tickets;
mod unreadable;
