//! Settings, parsed once at boot from flags and the environment.

use karcis_http::KeysConfig;
use karcis_schemas::PAYMENT;
use karcis_service::{ReconcileConfig, ServiceConfig};

use crate::adapters::gateway::GatewayConfig;

/// payment-service: takes a buyer's money once and gives it back once
#[derive(Clone, Debug, clap::Parser)]
pub struct Config {
    #[command(flatten)]
    pub service: ServiceConfig<{ PAYMENT.port }>,
    #[command(flatten)]
    pub keys: KeysConfig,
    #[command(flatten)]
    pub reconcile: ReconcileConfig,
    #[command(flatten)]
    pub gateway: GatewayConfig,
}
