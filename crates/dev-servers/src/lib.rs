//! Postgres and Kafka on this machine, as child processes or in containers.

pub mod child;
pub mod containers;
pub mod kafka;
pub mod log_file;
mod maven;
pub mod paths;
pub mod ports;
pub mod postgres;
pub mod secret;
mod temp_dir;

pub use temp_dir::TempDir;

/// Why a server does not run, and the one command that helps.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A program is not installed.
    #[error("{what} is missing: {fix}")]
    Missing {
        what: &'static str,
        /// The command that installs it.
        fix: &'static str,
    },
    #[error("{part} could not be fetched: {reason}")]
    NotFetched {
        part: &'static str,
        /// Maven's last lines.
        reason: String,
    },
    #[error("{part} did not start: {reason}")]
    NotStarted {
        part: &'static str,
        /// Its last lines.
        reason: String,
    },
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
