//! The `karcis` binary: the whole of Karcis on this machine.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    karcis_local_stack::cli::run().await
}
