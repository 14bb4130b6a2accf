//! Settings, parsed once at boot from flags and the environment.

use karcis_http::{KeysConfig, Rate};
use karcis_schemas::EVENT;
use karcis_service::{ReconcileConfig, ServiceConfig};

/// event-service: events, their seats, and who holds or has bought them
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    #[command(flatten)]
    pub service: ServiceConfig<{ EVENT.port }>,
    #[command(flatten)]
    pub keys: KeysConfig,
    #[command(flatten)]
    pub reconcile: ReconcileConfig,
    /// How many unpaid holds a buyer may have for one event.
    #[arg(long, env = "KARCIS_MAX_HOLDS", default_value_t = 2, value_name = "COUNT")]
    pub max_holds: u32,
    /// How many searches may be made at once from one network address, and the time in which as many
    /// more may be.
    #[arg(
        long,
        env = "KARCIS_RATE_LIMIT_SEARCHES",
        default_value = "300/30s",
        value_name = "RATE"
    )]
    pub rate_limit_searches: Rate,
}
