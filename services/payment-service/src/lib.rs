//! payment-service: takes a buyer's money once, whatever fails meanwhile, and gives it back once.

mod adapters;
mod application;
mod config;
pub mod domain;

use std::{sync::Arc, time::Duration};

use adapters::{
    gateway::{measured::Measured, simulated::SimulatedGateway},
    http::{self, Api},
    kafka::Commands,
    lanes::AttemptLanes,
    metrics,
    postgres::{PgPayments, Wakes},
    workers::Worker,
};
use karcis_database::{connect_to, migrate};
use karcis_http::{Live, TokenKeys};
use karcis_process::Process;
use karcis_schemas::{PAYMENT, SIMULATED_GATEWAY};
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

pub use config::Config;

/// Connections to the simulated provider's ledger: one for each of its batchers.
const GATEWAY_CONNECTIONS: u32 = 3;

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&PAYMENT, http::routes())
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    let base = Base::start(&PAYMENT, config.service, &process).await?;
    let keys = TokenKeys::fetched_from(&config.keys.jwks_url);
    let ledger = connect_to(
        "KARCIS_GATEWAY_DATABASE_URL",
        &config.gateway.gateway_database_url,
        GATEWAY_CONNECTIONS,
    )
    .await?;
    migrate(&ledger, SIMULATED_GATEWAY.migrations).await?;

    let (live, void, give_back) = (Live::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let wakes = Wakes {
        outbox: base.outbox.clone(),
        live: live.clone(),
        void: void.clone(),
        give_back: give_back.clone(),
    };
    let payments = Arc::new(PgPayments::new(base.pool.clone(), wakes));
    let patience = Duration::from_millis(config.gateway.provider_timeout_ms);
    let gateway = Arc::new(Measured(SimulatedGateway::new(&ledger, patience)));

    metrics::describe();
    let worker =
        Worker { payments: payments.clone(), gateway: gateway.clone(), stopping: base.stopping() };
    let charges = TaskTracker::new();
    let routes = http::routes().with_state(Api {
        attempts: Arc::new(AttemptLanes::new(payments.clone())),
        payments: payments.clone(),
        gateway,
        live: live.clone(),
        charges: charges.clone(),
        provider_wait: Duration::from_millis(config.gateway.provider_wait_ms),
    });
    let serving = base.serve(listener, routes, &keys);
    process
        .run("http", async move {
            let served = serving.await;
            // The last request has been answered; its charge may still be at the provider.
            charges.close();
            charges.wait().await;
            served
        })
        .run("keys", keys.keep_fresh(base.stopping()))
        .run("consumer", base.consume(Commands(payments.clone())))
        .run("outbox", base.relay())
        .run("live", live.run(payments, base.stopping()))
        .run("resolve attempts", worker.clone().resolve(patience))
        .run("void attempts", worker.clone().void(void))
        .run("give money back", worker.clone().give_back(give_back))
        .run("forget keys", worker.forget_keys())
        .until_stopped()
        .await?;
    Ok(())
}
