//! payment-service as a black box, on real Kafka and Postgres.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod actions;
mod asking;
mod back_off;
mod commands;
mod crashes;
mod harness;
mod input;
mod locked;
mod lost_answers;
mod lost_commits;
mod outcomes;
mod paying;
mod provider;
mod provider_page;
mod reconciler;
mod refunds;
mod repeating;
mod restored;
mod settling;
mod silence;
mod stripe;
mod stripe_money;
mod unreadable;
mod watching;
mod webhooks;
