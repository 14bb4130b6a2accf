//! The `karcis` program: starts everything on this machine, prepares deployments, and operates them.

mod bench;
mod chaos;
mod cli;
#[cfg(test)]
mod documented;
mod keys;
mod launcher;
mod migrate;
mod ops;
mod options;
mod service_ports;
mod simulate;
mod topics;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    cli::run().await
}
