//! PostgreSQL as a child process.

use std::path::PathBuf;

use crate::StackError;

/// A running PostgreSQL, stopped when dropped or when this process dies.
pub struct Postgres {
    _private: (),
}

/// How to run it.
pub struct PostgresOptions {
    /// Where its data lives; made if missing.
    pub data: PathBuf,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Whether a commit reaches the disk; tests go without.
    pub durable: bool,
}

impl Postgres {
    /// Starts it and waits until it answers.
    pub async fn start(_options: PostgresOptions) -> Result<Self, StackError> {
        todo!()
    }

    /// The superuser's URL of database `postgres`.
    pub fn url(&self) -> String {
        todo!()
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        todo!()
    }

    /// Stops it in order and waits for its end.
    pub async fn stop(self) -> Result<(), StackError> {
        todo!()
    }
}
