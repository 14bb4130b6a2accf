//! Settings, parsed once at boot from flags and the environment.

use std::net::SocketAddr;

use karcis_database::DatabaseConfig;
use karcis_http::{HttpConfig, KeysConfig};
use karcis_messaging::KafkaConfig;

/// event-service: events, their seats, and who holds or has bought them
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    /// Where to serve HTTP: an address and a port; port 0 takes a free one.
    #[arg(long, env = "KARCIS_LISTEN", default_value = "127.0.0.1:8082", value_name = "ADDRESS",
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
    /// How many unpaid holds a buyer may have for one event.
    #[arg(long, env = "KARCIS_MAX_HOLDS", default_value_t = 2, value_name = "COUNT")]
    pub max_holds: u32,
}
