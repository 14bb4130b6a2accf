//! What `setup.sql` and the migrations make on a real server.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod migrate;
mod migrations;
mod roles;
mod takeover;
