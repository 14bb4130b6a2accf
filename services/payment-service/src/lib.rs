//! payment-service: takes a buyer's money once, whatever fails meanwhile, and gives it back once.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::sync::Arc;

use adapters::{
    gateway,
    http::{self, ApiState},
    kafka::{self, Commands},
    metrics,
    postgres::{BatchedPayments, PgPayments, Signals},
    workers,
};
use karcis_http::Live;
use karcis_process::Process;
use karcis_schemas::{PAYMENT, SIMULATED_GATEWAY};
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

pub use config::Config;

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
    let keys = config.keys.keys();
    let gateway = gateway::connect(&config.gateway, SIMULATED_GATEWAY.migrations).await?;

    let (live, void, refund) = (Live::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = Signals {
        outbox: base.outbox.clone(),
        live: live.clone(),
        void: void.clone(),
        refund: refund.clone(),
    };
    let payments = Arc::new(PgPayments::new(base.pool.clone(), signals, kafka::encode));

    metrics::describe();
    let charges = TaskTracker::new();
    let routes = http::routes().with_state(ApiState {
        payments: Arc::new(BatchedPayments::start(payments.clone())),
        gateway: gateway.clone(),
        live: live.clone(),
        charges: charges.clone(),
        provider_wait: config.gateway.provider_wait(),
    });
    let serving = base.serve(listener, routes, &keys);
    let stop = || base.stopping();
    let age = config.gateway.provider_timeout();
    let resolving = workers::run_resolving(payments.clone(), gateway.clone(), age, stop());
    let voiding = workers::run_voiding(payments.clone(), gateway.clone(), void, stop());
    let outbox = base.outbox.clone();
    let refunding = workers::run_refunding(payments.clone(), gateway, outbox, refund, stop());
    process
        .run("http", async move {
            let served = serving.await;
            // The last request has been answered; its charge may still be at the provider.
            charges.close();
            charges.wait().await;
            served
        })
        .run("keys", keys.keep_fresh(stop()))
        .run("consumer", base.consume(Commands { payments: payments.clone() }))
        .run("outbox", base.relay())
        .run("live", live.run(payments.clone(), stop()))
        .run("resolve attempts", resolving)
        .run("void attempts", voiding)
        .run("refund payments", refunding)
        .run("housekeeping", workers::keep_house(payments, stop()))
        .until_stopped()
        .await?;
    Ok(())
}
