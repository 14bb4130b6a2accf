//! The settings of a service's HTTP side.

use std::net::SocketAddr;

use reqwest::Url;

use crate::{TrustedProxies, client_ip::proxies};

/// Settings every service has.
#[derive(Clone, Debug, clap::Args)]
pub struct HttpConfig {
    /// Other origins whose pages may call, such as `https://tickets.example`, separated by commas; *
    /// for any.
    #[arg(long, env = "KARCIS_WEB_ORIGINS", value_delimiter = ',', value_name = "ORIGINS",
        value_parser = origin)]
    pub web_origins: Vec<String>,
    /// The proxies before this service, such as a gateway: networks like 10.0.0.0/8 or addresses,
    /// separated by commas. Only these may say in X-Forwarded-For or Forwarded for whom they ask.
    #[arg(long, env = "KARCIS_TRUSTED_PROXIES", default_value = "", value_name = "NETWORKS",
        value_parser = proxies, hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,
}

/// Settings of a service that checks tokens which user-service signs.
#[derive(Clone, Debug, clap::Args)]
pub struct KeysConfig {
    /// Where user-service publishes the keys tokens are checked against.
    #[arg(long, env = "KARCIS_JWKS_URL", value_name = "URL", value_parser = http_url,
        default_value = "http://127.0.0.1:8081/.well-known/jwks.json")]
    pub jwks_url: String,
}

/// Parses a flag's value: an address to listen on.
pub fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "give an IP address and a port, such as 127.0.0.1:8080")
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
