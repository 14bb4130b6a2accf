//! The booking-service binary.

use std::process::ExitCode;

use karcis_booking_service::{Config, run};
use karcis_schemas::BOOKING;

#[tokio::main]
async fn main() -> ExitCode {
    let run = async |config: Config, process| {
        let listener = config.service.bind().await?;
        run(config, listener, process).await
    };
    karcis_service::main(&BOOKING, run).await
}
