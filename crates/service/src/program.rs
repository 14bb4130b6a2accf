//! A service's program, from its arguments to its exit code.

use std::{error::Error, ffi::OsString, process::ExitCode};

use clap::Parser;
use karcis_database::DatabaseError;
use karcis_messaging::KafkaError;
use karcis_process::{Process, StopError, exit_code, settings};
use karcis_schemas::Service;

/// Why a service did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Listen(#[from] std::io::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// Something that only this service needs.
    #[error(transparent)]
    Own(Box<dyn Error + Send + Sync>),
    #[error(transparent)]
    Stopped(#[from] StopError),
}

impl StartError {
    /// [`Self::Own`], because of an error or of what a text says.
    pub fn own(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Own(cause.into())
    }
}

/// The whole of a service's `main`: parses the process's arguments and environment, starts the
/// process and runs the service to its end.
pub async fn main<C: Parser>(
    service: &'static Service,
    run: impl AsyncFnOnce(C, Process) -> Result<(), StartError>,
) -> ExitCode {
    exit_code(async { Ok(run_program(service, std::env::args_os(), run).await?) }).await
}

/// The same with other arguments, the program's name first.
pub async fn run_program<C: Parser>(
    service: &'static Service,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    run: impl AsyncFnOnce(C, Process) -> Result<(), StartError>,
) -> Result<(), StartError> {
    let config = settings(arguments);
    run(config, Process::start(service.full_name())).await
}
