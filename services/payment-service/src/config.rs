//! Settings, parsed once at boot from flags and the environment.

use std::net::SocketAddr;

use karcis_http::{HttpConfig, KeysConfig};
use karcis_messaging::{DatabaseConfig, KafkaConfig};

use crate::adapters::gateway::GatewayConfig;

/// payment-service: takes a buyer's money once and gives it back once
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    /// Where to serve HTTP: an address and a port; port 0 takes a free one.
    #[arg(long, env = "KARCIS_LISTEN", default_value = "127.0.0.1:8084", value_name = "ADDRESS",
        value_parser = karcis_http::address)]
    pub listen: SocketAddr,
    /// What every service's HTTP side takes.
    #[command(flatten)]
    pub http: HttpConfig,
    /// Its schema.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Its broker.
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// The keys tokens are checked against.
    #[command(flatten)]
    pub keys: KeysConfig,
    /// Its payment provider.
    #[command(flatten)]
    pub gateway: GatewayConfig,
}
