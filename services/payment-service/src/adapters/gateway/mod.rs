//! Payment providers, one of which the configuration chooses.

mod config;
mod measured;
mod simulated;

use std::sync::Arc;

use karcis_database::{DatabaseError, check_migrations, connect_patiently};
use sqlx::migrate::Migrator;

pub(crate) use self::config::GatewayConfig;
use self::{config::Provider, measured::Measured, simulated::SimulatedGateway};
use crate::application::PaymentGateway;

/// The provider that the configuration chooses, ready to be asked. `ledger` are the migrations of the
/// simulated provider's ledger, which is opened only if that provider is chosen.
pub(crate) async fn connect(
    config: &GatewayConfig,
    ledger: &'static Migrator,
) -> Result<Arc<dyn PaymentGateway>, DatabaseError> {
    let gateway: Arc<dyn PaymentGateway> = match config.provider {
        Provider::Simulated => {
            tracing::warn!("the simulated payment provider is used: no money moves");
            let url = config.gateway_database_url.as_deref().unwrap_or_default();
            let (variable, timeout) = ("KARCIS_GATEWAY_DATABASE_URL", config.provider_timeout());
            let pool = connect_patiently(variable, url, simulated::CONNECTIONS, timeout).await?;
            check_migrations(&pool, ledger).await?;
            Arc::new(SimulatedGateway::new(&pool, timeout))
        }
    };
    Ok(Arc::new(Measured(gateway)))
}
