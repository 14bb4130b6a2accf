//! Settings, parsed once at boot from flags and the environment.

use karcis_http::KeysConfig;
use karcis_schemas::PAYMENT;
use karcis_service::ServiceConfig;

/// payment-service: takes a buyer's money once and gives it back once
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    #[command(flatten)]
    pub service: ServiceConfig<{ PAYMENT.port }>,
    #[command(flatten)]
    pub keys: KeysConfig,
    #[command(flatten)]
    pub gateway: GatewayConfig,
}

/// The simulated payment provider.
#[derive(Clone, clap::Args)]
pub struct GatewayConfig {
    /// The provider's own database, as a role that cannot read the payments:
    /// postgres://role:password@host:port/database
    #[arg(long, env = "KARCIS_GATEWAY_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub gateway_database_url: String,
    /// How long an answer of the provider is waited for, in milliseconds; then its outcome is
    /// unknown, and asked for again.
    #[arg(long, env = "KARCIS_PROVIDER_TIMEOUT_MS", default_value_t = 5_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub provider_timeout_ms: u64,
    /// How long a buyer waits for that answer, in milliseconds; then theirs is "processing".
    #[arg(long, env = "KARCIS_PROVIDER_WAIT_MS", default_value_t = 2_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub provider_wait_ms: u64,
}

impl std::fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("provider_timeout_ms", &self.provider_timeout_ms)
            .field("provider_wait_ms", &self.provider_wait_ms)
            .finish_non_exhaustive()
    }
}
