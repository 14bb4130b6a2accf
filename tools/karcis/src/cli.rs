//! The command line of `karcis`.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, builder::FalseyValueParser};
use karcis_messaging::KafkaSecurity;
use karcis_process::{Process, exit_code, settings};

use crate::{
    launcher,
    migrate::{MigrateOptions, migrate},
    service_ports::ServicePorts,
    topics::{TopicOptions, topics},
};
use karcis_services::Linked;

/// Karcis on this machine: PostgreSQL, Kafka and the four services. Ctrl-C stops everything.
///
/// Every setting of a service is taken from the environment, such as KARCIS_PAYMENT_WINDOW=15m.
#[derive(Parser)]
#[command(name = "karcis", version)]
struct Cli {
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

/// How to start Karcis.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take free ports, and throw all data away at the end
    #[arg(long)]
    pub ephemeral: bool,
    /// Make demo events, as a fresh database gets them without --ephemeral
    #[arg(long)]
    pub demo: bool,
    /// Where data, logs and stack.json live [default: target/karcis]
    #[arg(long, env = "KARCIS_DATA", value_name = "PATH", conflicts_with = "ephemeral")]
    pub data: Option<PathBuf>,
    /// Where to write addresses, credentials and process ids once all are ready
    /// [default: stack.json among the data]
    #[arg(long, value_name = "PATH")]
    pub state_file: Option<PathBuf>,
    /// A PostgreSQL that runs already, in place of one started here: a superuser's URL
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// A Kafka that runs already, in place of one started here: host:port[,host:port…]
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", value_name = "HOSTS")]
    pub kafka_bootstrap_servers: Option<String>,
    #[command(flatten)]
    pub kafka_security: KafkaSecurity,
    /// Start PostgreSQL and Kafka in containers even where they could run without
    #[arg(long, env = "KARCIS_CONTAINERS", value_parser = FalseyValueParser::new())]
    pub containers: bool,
    /// Put before every topic and consumer group
    #[arg(long, env = "KARCIS_TOPIC_PREFIX", default_value = "", value_name = "PREFIX")]
    pub topic_prefix: String,
    /// Partitions of a topic that is made
    #[arg(long, env = "KARCIS_TOPIC_PARTITIONS", default_value_t = 4, value_name = "COUNT")]
    pub topic_partitions: i32,
    /// Copies of a topic that is made
    #[arg(long, env = "KARCIS_TOPIC_REPLICATION", default_value_t = 1, value_name = "COUNT")]
    pub topic_replication: i32,
    #[command(flatten)]
    pub ports: Ports,
    #[command(flatten)]
    pub admin: Admin,
}

/// Which ports to serve on; 0 takes a free one.
#[derive(clap::Args)]
pub(crate) struct Ports {
    #[command(flatten)]
    pub services: ServicePorts,
    /// PostgreSQL's port, if it is started here
    #[arg(long, env = "KARCIS_POSTGRES_PORT", default_value_t = 0, value_name = "PORT")]
    pub postgres_port: u16,
    /// Kafka's port, if it is started here
    #[arg(long, env = "KARCIS_KAFKA_PORT", default_value_t = 0, value_name = "PORT")]
    pub kafka_port: u16,
}

/// The first admin, made in a fresh database.
#[derive(Clone, clap::Args)]
pub(crate) struct Admin {
    /// The first admin's e-mail address
    #[arg(long, env = "KARCIS_ADMIN_EMAIL", default_value = "admin@karcis.example")]
    pub admin_email: String,
    /// The first admin's password
    #[arg(
        long,
        env = "KARCIS_ADMIN_PASSWORD",
        default_value = "karcis-development",
        hide_env_values = true
    )]
    pub admin_password: String,
}

/// Does what the command line says; the exit code is 0 after a stop that was asked for.
pub(crate) async fn run() -> ExitCode {
    let cli: Cli = settings(std::env::args_os());
    exit_code(async {
        match cli.command {
            Some(Command::Migrate(options)) => Ok(migrate(*options).await?),
            Some(Command::Topics(options)) => Ok(topics(*options).await?),
            Some(Command::Service { service, flags }) => {
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
