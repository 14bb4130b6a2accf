//! Settings, parsed once at boot from flags and the environment.

use std::net::SocketAddr;

use karcis_http::HttpConfig;
use karcis_messaging::{DatabaseConfig, KafkaConfig};

/// event-service
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    /// Where to serve HTTP.
    #[arg(long, env = "KARCIS_LISTEN", default_value = "127.0.0.1:8082")]
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
    /// Where user-service publishes the keys tokens are checked against.
    #[arg(
        long,
        env = "KARCIS_JWKS_URL",
        default_value = "http://127.0.0.1:8081/.well-known/jwks.json"
    )]
    pub jwks_url: String,
    /// How many unpaid holds a buyer may have for one event.
    #[arg(long, env = "KARCIS_MAX_HOLDS", default_value_t = 2)]
    pub max_holds: u32,
}
