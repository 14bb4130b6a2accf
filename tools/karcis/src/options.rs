//! How to start everything: the flags of `karcis` without a command.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use karcis_messaging::KafkaSecurity;
use karcis_process::Purpose;

use crate::service_ports::ServicePorts;

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
    /// A PostgreSQL that runs already, in place of one started here: a superuser's URL, which may name
    /// several hosts
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
    /// What this is for: production refuses the first admin's default password
    #[arg(long, env = "KARCIS_ENVIRONMENT", default_value = "development", value_name = "PURPOSE")]
    pub environment: Purpose,
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
    /// The web app's port, where the services' calls are too
    #[arg(long, env = "KARCIS_WEB_PORT", default_value_t = 8080, value_name = "PORT")]
    pub web_port: u16,
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
