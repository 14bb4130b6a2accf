//! The booking-service binary.

use clap::Parser;
use karcis_booking_service::{Config, run};
use karcis_process::Process;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::parse();
    let process = Process::start("booking-service");
    let listener = karcis_http::bind(config.listen).await?;
    Ok(run(config, listener, process).await?)
}
