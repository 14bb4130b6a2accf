//! Settings, parsed once at boot from flags and the environment.

use std::net::SocketAddr;

use axum::http::{HeaderValue, Uri};
use karcis_http::ServingConfig;
use tokio::net::TcpListener;

use crate::Upstreams;

/// The web app, and the gateway to the services, at one origin
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    /// Where to serve the app and the services' calls: an address and a port; port 0 takes a free one.
    #[arg(long, env = "KARCIS_WEB_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS",
        value_parser = karcis_http::address)]
    pub listen: SocketAddr,
    /// The origin that browsers show, such as `https://tickets.example`: for browsers that do not say
    /// themselves whether a request comes from there. Without it, it is the host that they ask for.
    #[arg(long, env = "KARCIS_WEB_ORIGIN", value_name = "ORIGIN", value_parser = origin)]
    pub origin: Option<HeaderValue>,
    #[command(flatten)]
    pub upstreams: Upstreams,
    #[command(flatten)]
    pub serving: ServingConfig,
}

impl Config {
    /// A listener at [`Self::listen`].
    pub async fn bind(&self) -> std::io::Result<TcpListener> {
        karcis_http::bind_as(self.listen, "--listen (KARCIS_WEB_LISTEN)").await
    }
}

/// A scheme, a host and a port, as browsers send it.
fn origin(text: &str) -> Result<HeaderValue, &'static str> {
    let uri = text.parse::<Uri>().ok();
    let is_origin = uri.is_some_and(|uri| {
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        let whole = scheme.zip(uri.authority()).map(|(scheme, host)| format!("{scheme}://{host}"));
        whole.is_some_and(|whole| whole == text)
    });
    let value = HeaderValue::from_str(text).ok().filter(|_| is_origin);
    value.ok_or("give scheme://host[:port] without a path")
}
