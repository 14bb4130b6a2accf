//! What `setup.sql` makes on a real server.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod roles;
