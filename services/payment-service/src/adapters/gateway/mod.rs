//! Payment providers, one of which the configuration chooses.

mod config;
mod measured;
mod simulated;

use std::sync::Arc;

use karcis_messaging::{DatabaseError, connect_to, migrate};

pub use self::config::GatewayConfig;
use self::{config::Provider, measured::Measured, simulated::SimulatedGateway};
use crate::application::ports::PaymentGateway;

/// The provider that the configuration chooses, ready to be asked.
pub async fn connect(config: &GatewayConfig) -> Result<Arc<dyn PaymentGateway>, DatabaseError> {
    let gateway: Arc<dyn PaymentGateway> = match config.provider {
        Provider::Simulated => {
            tracing::warn!("the simulated payment provider is used: no money moves");
            let url = config.gateway_database_url.as_deref().unwrap_or_default();
            let pool =
                connect_to("KARCIS_GATEWAY_DATABASE_URL", url, simulated::CONNECTIONS).await?;
            migrate(&pool, &crate::GATEWAY_MIGRATIONS).await?;
            Arc::new(SimulatedGateway::new(&pool, config.provider_timeout()))
        }
    };
    Ok(Arc::new(Measured(gateway)))
}
