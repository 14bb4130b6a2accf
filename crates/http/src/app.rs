//! A service's routes inside the house: errors, trace, metrics, health, CORS, and how it is served.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::TokenKeys;

/// Settings every service has.
#[derive(Clone, Debug, clap::Args)]
pub struct HttpConfig {
    /// Other origins whose pages may call, separated by commas.
    #[arg(long, env = "KARCIS_WEB_ORIGINS", value_delimiter = ',')]
    pub web_origins: Vec<String>,
}

/// Whether a service can serve: its database answers. (Its keys are asked for by the house.)
#[async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// `Err` says what is missing.
    async fn ready(&self) -> Result<(), String>;
}

/// What a service gives to the house.
pub struct App {
    /// The service's name, such as `booking-service`.
    pub service: &'static str,
    /// One line that says what it is for.
    pub about: &'static str,
    /// Its endpoints as `GET /` lists them, such as `("POST", "/booking/create")`.
    pub endpoints: &'static [(&'static str, &'static str)],
    /// Its routes, with their state.
    pub routes: Router,
    /// The keys of [`crate::Caller`].
    pub keys: TokenKeys,
    /// For `/readyz`.
    pub readiness: Arc<dyn Readiness>,
}

/// A listener on this address; port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves `app` with `/`, `/healthz`, `/readyz` and `/metrics` beside its routes, until `stopping`;
/// then finishes what is under way.
pub async fn serve(
    _listener: TcpListener,
    _app: App,
    _config: HttpConfig,
    _stopping: CancellationToken,
) -> std::io::Result<()> {
    todo!()
}
