//! The user-service binary.

use std::process::ExitCode;

use karcis_schemas::USER;
use karcis_user_service::{Config, run};

#[tokio::main]
async fn main() -> ExitCode {
    let run = async |config: Config, process| {
        let listener = config.service.bind().await?;
        run(config, listener, process).await
    };
    karcis_service::main(&USER, run).await
}
