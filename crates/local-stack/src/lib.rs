//! Postgres, Kafka and the four services on this machine: for `cargo run` and for tests.

mod child;
pub mod cli;
mod deploy;
pub mod kafka;
mod launcher;
mod log_file;
mod maven;
pub mod places;
pub mod ports;
pub mod postgres;
mod service;

/// Why a part did not start, and the one command that mends it.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Something this machine lacks.
    #[error("{what} is missing: {fix}")]
    Missing {
        /// What.
        what: &'static str,
        /// The command that installs it.
        fix: &'static str,
    },
    /// A download failed.
    #[error("{part} could not be fetched: {reason}")]
    NotFetched {
        /// Which.
        part: &'static str,
        /// Maven's last words.
        reason: String,
    },
    /// A part was started and failed.
    #[error("{part} did not start: {reason}")]
    NotStarted {
        /// Which.
        part: &'static str,
        /// Its last words.
        reason: String,
    },
    /// The file system says no.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Postgres says no.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}
