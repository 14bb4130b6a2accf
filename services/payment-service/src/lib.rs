//! payment-service

mod config;
mod application;
pub mod domain;

use karcis_process::Process;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;

pub use config::Config;

/// The service's schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/payment");

/// Why the service did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database does not answer or its schema cannot be brought up to date.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A Kafka setting is wrong.
    #[error("{0}")]
    Kafka(#[from] karcis_messaging::KafkaError),
    /// One of its tasks ended.
    #[error("{0}")]
    Stopped(#[from] karcis_process::StopError),
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    _config: Config,
    _listener: TcpListener,
    _process: Process,
) -> Result<(), StartError> {
    todo!()
}
