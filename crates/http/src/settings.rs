//! The settings of a service's HTTP side.

use std::{net::SocketAddr, time::Duration};

use axum::http::HeaderValue;
use clap::value_parser;
use reqwest::Url;

use crate::{
    LimitsConfig, Networks, TokenKeys, TrustedProxies, client_ip::proxies, networks::networks,
};

/// Settings every service has.
#[derive(Clone, Debug, clap::Args)]
pub struct HttpConfig {
    /// Other origins whose pages may call, such as `https://tickets.example`, separated by commas; *
    /// for any.
    #[arg(long, env = "KARCIS_WEB_ORIGINS", value_delimiter = ',', value_name = "ORIGINS",
        value_parser = origin)]
    pub web_origins: Vec<String>,
    #[command(flatten)]
    pub serving: ServingConfig,
    #[command(flatten)]
    pub limits: LimitsConfig,
}

/// Settings of a program's listeners, and of what is trusted and told there.
#[derive(Clone, Debug, clap::Args)]
pub struct ServingConfig {
    /// The proxies before this program, such as a gateway: networks like 10.0.0.0/8 or addresses,
    /// separated by commas. Only these may say in X-Forwarded-For or Forwarded for whom they ask.
    #[arg(long, env = "KARCIS_TRUSTED_PROXIES", default_value = "", value_name = "NETWORKS",
        value_parser = proxies, hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,
    /// Where to serve /metrics, /docs and /openapi.json, and /healthz and /readyz too: an address and a
    /// port. Without it they are served together with everything else.
    #[arg(long, env = "KARCIS_ADMIN_LISTEN", value_name = "ADDRESS", value_parser = address)]
    pub admin_listen: Option<SocketAddr>,
    /// The most connections at once, fewer if the process may not open so many files.
    #[arg(long, env = "KARCIS_MAX_CONNECTIONS", default_value_t = 4096, value_name = "COUNT",
        value_parser = value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// The most connections at once from one address that is no trusted proxy's.
    #[arg(long, env = "KARCIS_MAX_CONNECTIONS_PER_PEER", default_value_t = 512,
        value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    pub max_connections_per_peer: u32,
    /// The Strict-Transport-Security that answers tell browsers, such as `max-age=31536000`: where all
    /// clients come over TLS.
    #[arg(long, env = "KARCIS_HSTS", value_name = "VALUE", value_parser = hsts)]
    pub hsts: Option<HeaderValue>,
    /// Whose traceparent is continued: networks like 10.0.0.0/8 or addresses, separated by commas. Of
    /// others it becomes a link of a new trace.
    #[arg(long, env = "KARCIS_TRUSTED_TRACE_PEERS", default_value = "127.0.0.0/8,::1",
        value_name = "NETWORKS", value_parser = networks)]
    pub trusted_trace_peers: Networks,
}

/// Settings of a service that checks tokens which user-service signs.
#[derive(Clone, Debug, clap::Args)]
pub struct KeysConfig {
    /// Where user-service publishes the keys tokens are checked against.
    #[arg(long, env = "KARCIS_JWKS_URL", value_name = "URL", value_parser = http_url,
        default_value = "http://127.0.0.1:8081/.well-known/jwks.json")]
    pub jwks_url: String,
    /// How often they are fetched: a new key is published ten minutes before it signs.
    #[arg(long, env = "KARCIS_JWKS_POLL_MS", value_name = "MS", default_value_t = 60_000, hide = true,
        value_parser = clap::value_parser!(u64).range(1..=300_000))]
    pub jwks_poll_ms: u64,
}

impl KeysConfig {
    /// These keys; none until they are fetched.
    pub fn keys(&self) -> TokenKeys {
        TokenKeys::fetched_from(&self.jwks_url, Duration::from_millis(self.jwks_poll_ms))
    }
}

/// Parses a flag's value: an address to listen on.
pub fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "give an IP address and a port, such as 127.0.0.1:8080")
}

fn hsts(text: &str) -> Result<HeaderValue, &'static str> {
    let value = HeaderValue::from_str(text).ok().filter(|_| text.starts_with("max-age="));
    value.ok_or("give max-age= and a number of seconds")
}

fn http_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    url.map(|_| text.to_owned()).ok_or("give a URL that begins with http:// or https://")
}

/// `*`, nothing, or a scheme, a host and a port, as browsers send it.
fn origin(text: &str) -> Result<String, &'static str> {
    let origin = text.trim().trim_end_matches('/');
    let good = ["", "*"].contains(&origin)
        || Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == origin);
    good.then(|| origin.to_owned()).ok_or("give scheme://host[:port] without a path, or *")
}
