//! The payment-service binary.

use std::process::ExitCode;

use karcis_payment_service::{Config, run};
use karcis_schemas::PAYMENT;

#[tokio::main]
async fn main() -> ExitCode {
    let run = async |config: Config, process| {
        let listener = config.service.bind().await?;
        run(config, listener, process).await
    };
    karcis_service::main(&PAYMENT, run).await
}
