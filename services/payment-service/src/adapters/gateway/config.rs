//! Which payment provider is used, and how long its answers are waited for.

use std::{fmt, time::Duration};

/// A shorter secret could be guessed.
const MIN_SECRET_BYTES: usize = 16;

/// The payment providers that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Provider {
    /// Takes scripted tokens and moves no money.
    Simulated,
}

/// The payment provider.
#[derive(Clone, clap::Args)]
pub struct GatewayConfig {
    /// Which payment provider takes the money; "simulated" takes none and is for development.
    #[arg(long = "gateway", env = "KARCIS_GATEWAY", value_name = "PROVIDER")]
    pub(super) provider: Provider,
    /// The simulated provider's own database, as a role that cannot read the payments:
    /// postgres://role:password@host:port/database
    #[arg(
        long,
        env = "KARCIS_GATEWAY_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        required_if_eq("provider", "simulated")
    )]
    pub(super) gateway_database_url: Option<String>,
    /// What the provider signs its webhooks with, at least 16 characters each, separated by commas: a new
    /// one is added before the provider uses it, and the old one taken away after that. The simulated
    /// provider signs with the first, or with one that it draws at each start.
    #[arg(
        long,
        env = "KARCIS_WEBHOOK_SECRETS",
        hide_env_values = true,
        default_value = "",
        value_name = "SECRETS",
        hide_default_value = true
    )]
    webhook_secrets: String,
    /// Where the simulated provider sends its webhooks; if not given, to where this service listens.
    #[arg(long, env = "KARCIS_WEBHOOK_URL", value_name = "URL", value_parser = http_url)]
    pub(super) webhook_url: Option<String>,
    /// Where people find the page of the simulated provider, without its path; if not given, where this
    /// service listens.
    #[arg(long, env = "KARCIS_SIMULATED_PROVIDER_URL", value_name = "URL",
        value_parser = http_url)]
    pub(super) simulated_provider_url: Option<String>,
    /// How long an answer of the provider is waited for, in milliseconds; then its outcome is
    /// unknown, and the provider is asked again.
    #[arg(long, env = "KARCIS_PROVIDER_TIMEOUT_MS", default_value_t = 5_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    provider_timeout_ms: u64,
    /// How long a buyer waits for that answer, in milliseconds; then the payment is "processing".
    #[arg(long, env = "KARCIS_PROVIDER_WAIT_MS", default_value_t = 2_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    provider_wait_ms: u64,
}

fn http_url(text: &str) -> Result<String, &'static str> {
    let url =
        reqwest::Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    url.map(|_| text.trim_end_matches('/').to_owned())
        .ok_or("give a URL that begins with http:// or https://")
}

impl GatewayConfig {
    /// The secrets of webhooks, or what is wrong with them.
    pub fn webhook_secrets(&self) -> Result<Vec<String>, &'static str> {
        let secrets = self.webhook_secrets.split(',').map(str::trim);
        let secrets: Vec<String> =
            secrets.filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
        match secrets.iter().all(|secret| secret.len() >= MIN_SECRET_BYTES) {
            true => Ok(secrets),
            false => Err("KARCIS_WEBHOOK_SECRETS: give each secret at least 16 characters"),
        }
    }

    /// After this an outcome is unknown.
    pub fn provider_timeout(&self) -> Duration {
        Duration::from_millis(self.provider_timeout_ms)
    }

    /// After this a buyer is answered with "processing".
    pub fn provider_wait(&self) -> Duration {
        Duration::from_millis(self.provider_wait_ms)
    }
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("provider", &self.provider)
            .field("provider_timeout_ms", &self.provider_timeout_ms)
            .field("provider_wait_ms", &self.provider_wait_ms)
            .finish_non_exhaustive()
    }
}
