//! Payment providers, one of which the configuration chooses.

mod config;
mod measured;
mod signature;
mod simulated;
mod stripe;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use futures_util::future::BoxFuture;
use karcis_database::{DatabaseError, Pool, check_migrations, connect_patiently};
use karcis_process::CancellationToken;
use sqlx::migrate::Migrator;

pub(crate) use self::config::GatewayConfig;
use self::{
    config::Provider,
    measured::Measured,
    simulated::{Settings, SimulatedGateway},
    stripe::StripeGateway,
};
use crate::application::PaymentGateway;

/// The payment provider, ready to be asked.
pub(crate) struct Gateway {
    pub port: Arc<dyn PaymentGateway>,
    /// What a simulated provider shows to people.
    pub pages: Router,
    /// What a simulated provider does by itself, until it is stopped.
    pub work: BoxFuture<'static, ()>,
}

/// The provider that the configuration chooses, which signs its webhooks with one of `secrets`. `own` is the
/// service's own schema. `ledger` are the migrations of the simulated provider's ledger, which is opened only if
/// that provider is chosen; `listening` is where this service serves.
pub(crate) async fn connect(
    config: &GatewayConfig,
    secrets: Vec<String>,
    own: &Pool,
    ledger: &'static Migrator,
    listening: SocketAddr,
    stopping: CancellationToken,
) -> Result<Gateway, DatabaseError> {
    match config.provider {
        Provider::Simulated => {
            tracing::warn!("the simulated payment provider is used: no money moves");
            let url = config.gateway_database_url.as_deref().unwrap_or_default();
            let (variable, timeout) = ("KARCIS_GATEWAY_DATABASE_URL", config.provider_timeout());
            let pool = connect_patiently(variable, url, simulated::CONNECTIONS, timeout).await?;
            check_migrations(&pool, ledger).await?;
            let settings = Settings::new(config, secrets, listening);
            let gateway = SimulatedGateway::new(&pool, timeout, &settings);
            Ok(Gateway {
                port: Arc::new(Measured(Arc::new(gateway))),
                pages: simulated::pages(pool.clone()),
                work: Box::pin(simulated::work(pool, settings, stopping)),
            })
        }
        Provider::Stripe => {
            let gateway = StripeGateway::new(config.stripe(secrets), own.clone());
            Ok(Gateway {
                port: Arc::new(Measured(Arc::new(gateway))),
                pages: Router::new(),
                work: Box::pin(stopping.cancelled_owned()),
            })
        }
    }
}

/// The simulated provider without its pages and webhooks, with its ledger in `pool`'s schema; what takes longer than
/// `timeout` has no known outcome.
pub(crate) fn simulated(pool: &Pool, timeout: Duration) -> impl PaymentGateway {
    SimulatedGateway::new(pool, timeout, &Settings::none())
}
