//! The booking-service binary.

use std::process::ExitCode;

use karcis_booking_service::{Config, run};
use karcis_process::{Process, exit_code, settings};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = settings(std::env::args_os());
    exit_code(async {
        let process = Process::start("booking-service");
        let listener = karcis_http::bind(config.listen).await?;
        Ok(run(config, listener, process).await?)
    })
    .await
}
