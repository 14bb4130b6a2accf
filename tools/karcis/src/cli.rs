//! The command line of `karcis`.

use std::process::ExitCode;

use clap::Parser;
use karcis_kernel::Bug;
use karcis_process::{Process, exit_code, settings};

use crate::{
    bench::{BenchOptions, bench},
    chaos::{ChaosOptions, chaos},
    keys::{KeysCommand, keys},
    launcher,
    migrate::{MigrateOptions, migrate},
    ops::{OpsOptions, ops},
    options::Options,
    simulate::{SimulateOptions, simulate},
    topics::{TopicOptions, topics},
};
use karcis_services::Linked;

/// Karcis on this machine: PostgreSQL, Kafka, the four services and the web app. Ctrl-C stops everything.
///
/// Every setting of a service is taken from the environment, such as KARCIS_PAYMENT_WINDOW=15m.
#[derive(Parser)]
#[command(name = "karcis", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make or bring up to date the roles, schemas and tables of a deployment
    ///
    /// Repeatable, also by several at once. Only one address is needed where all schemas are in one
    /// database.
    Migrate(Box<MigrateOptions>),
    /// Make the topics of a deployment that are missing, and check those that are there
    Topics(Box<TopicOptions>),
    /// Show, add and remove the keys that sign access tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Prove the services under faults that seeds draw: in virtual time, in this process, without servers
    ///
    /// The exit code is 1 if a rule does not hold; then it prints the shortest story of that, and how to run
    /// it again.
    Simulate(SimulateOptions),
    /// See and mend what is stuck: bookings, payments, messages
    ///
    /// Calls the services over HTTP, as an operator or admin. Everything that changes something needs
    /// a reason and is in the audit.
    Ops(Box<OpsOptions>),
    /// Prove a whole fleet under faults that a seed draws: real processes, PostgreSQL and Kafka, killed,
    /// frozen and cut off while people buy
    ///
    /// The exit code is 1 if a rule does not hold; then it prints which, and the story of the booking.
    Chaos(ChaosOptions),
    /// Measure a real fleet under load: what a second sells, how long people wait, and what a booking costs
    ///
    /// The exit code is 1 if the books do not balance at the end: then no figure counts.
    Bench(BenchOptions),
    /// Serve the web app, and pass calls on to the services, at one origin
    Web(Box<karcis_web::Config>),
    /// One service by itself, as its own binary would run.
    #[command(hide = true)]
    Service {
        #[arg(value_parser = linked)]
        service: &'static Linked,
        /// Its flags.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
}

/// Does what the command line says; the exit code is 0 after a stop that was asked for.
pub(crate) async fn run() -> ExitCode {
    let cli: Cli = settings(std::env::args_os());
    exit_code(async {
        match cli.command {
            Some(Command::Migrate(options)) => Ok(migrate(*options).await?),
            Some(Command::Topics(options)) => Ok(topics(*options).await?),
            Some(Command::Keys(command)) => Ok(keys(command).await?),
            Some(Command::Simulate(options)) => Ok(simulate(&options)?),
            Some(Command::Ops(options)) => Ok(ops(*options).await?),
            Some(Command::Chaos(options)) => Ok(chaos(&options).await?),
            Some(Command::Bench(options)) => Ok(bench(&options).await?),
            Some(Command::Web(config)) => {
                let listener = config.bind().await?;
                Ok(karcis_web::run(*config, listener, Process::start("web")).await?)
            }
            Some(Command::Service { service, flags }) => {
                // In a program with the feature of tests.
                if let Ok(bug) = std::env::var("KARCIS_PLANTED_BUG") {
                    Bug::plant_for_good(&bug);
                }
                let process = Process::start(service.service.full_name());
                Ok((service.run)(flags, None, process).await?)
            }
            None => Ok(launcher::launch(cli.options).await?),
        }
    })
    .await
}

fn linked(name: &str) -> Result<&'static Linked, String> {
    karcis_services::find(name).ok_or_else(|| format!("there is no service {name}"))
}
