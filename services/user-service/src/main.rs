//! The user-service binary.

use clap::Parser;
use karcis_process::Process;
use karcis_user_service::{Config, run};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::parse();
    let process = Process::start("user-service");
    let listener = karcis_http::bind(config.listen).await?;
    Ok(run(config, listener, process).await?)
}
