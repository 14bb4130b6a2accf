//! The karcis-web binary.

use std::process::ExitCode;

use karcis_process::{Process, exit_code, settings};
use karcis_web::{Config, run};

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(async {
        let config: Config = settings(std::env::args_os());
        let listener = config.bind().await?;
        Ok(run(config, listener, Process::start("web")).await?)
    })
    .await
}
