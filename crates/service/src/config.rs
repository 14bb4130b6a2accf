//! The settings that every service has.

use std::net::SocketAddr;

use karcis_database::DatabaseConfig;
use karcis_http::HttpConfig;
use karcis_messaging::KafkaConfig;
use karcis_process::Environment;
use tokio::net::TcpListener;

/// Where a service serves, unless told otherwise at `PORT`, and where its schema and broker are.
#[derive(Clone, Debug, clap::Args)]
pub struct ServiceConfig<const PORT: u16> {
    /// Where to serve HTTP: an address and a port; port 0 takes a free one.
    #[arg(long, env = "KARCIS_LISTEN", default_value = format!("127.0.0.1:{PORT}"),
        value_name = "ADDRESS", value_parser = karcis_http::address)]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub http: HttpConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub kafka: KafkaConfig,
    #[command(flatten)]
    pub environment: Environment,
}

impl<const PORT: u16> ServiceConfig<PORT> {
    /// A listener at [`Self::listen`].
    pub async fn bind(&self) -> std::io::Result<TcpListener> {
        karcis_http::bind(self.listen).await
    }
}
