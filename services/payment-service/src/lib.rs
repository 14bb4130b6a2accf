//! payment-service: takes a buyer's money once, whatever fails meanwhile, and gives it back once.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::{sync::Arc, time::Duration};

use adapters::{
    gateway,
    http::{self, ApiState},
    kafka::{self, Commands},
    metrics,
    postgres::{BatchedPayments, LedgerReconciler, PgPayments, Signals},
    workers,
};
use karcis_database::Pool;
use karcis_http::Live;
use karcis_process::Process;
use karcis_schemas::{PAYMENT, SIMULATED_GATEWAY};
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

pub use config::Config;

/// A worker that shows no sign of life for longer hangs, unless the provider makes it wait.
const ALIVE_WITHIN: Duration = Duration::from_secs(60);

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
    let by = |pool: &Pool| Arc::new(PgPayments::new(pool.clone(), signals.clone(), kafka::encode));
    let payments = by(&base.pools.saga);

    let at_rest = config.reconcile.at_rest();
    let ledger = LedgerReconciler::new(base.pools.saga.clone(), gateway.clone(), at_rest);
    metrics::describe();
    let charges = TaskTracker::new();
    let routes = http::routes().with_state(ApiState {
        payments: Arc::new(BatchedPayments::start(by(&base.pools.writes))),
        unsettled: by(&base.pools.writes),
        gateway: gateway.clone(),
        live: live.clone(),
        charges: charges.clone(),
        provider_wait: config.gateway.provider_wait(),
    });
    let serving = base.serve(listener, routes, &keys);
    let stop = || base.stopping();
    let age = config.gateway.provider_timeout();
    let alive = |task| base.alive(task, ALIVE_WITHIN + age);
    let both = || (payments.clone(), gateway.clone());
    let resolving = workers::run_resolving(both(), age, alive("resolve attempts"), stop());
    let voiding = workers::run_voiding(both(), void, alive("void attempts"), stop());
    let (outbox, alive) = (base.outbox.clone(), alive("refund payments"));
    let refunding = workers::run_refunding(both(), outbox, refund, alive, stop());
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
        .run("database", base.watch())
        .run("live", live.run(by(&base.pools.reads), stop()))
        .run("reconciler", base.reconcile(ledger, config.reconcile))
        .run("resolve attempts", resolving)
        .run("void attempts", voiding)
        .run("refund payments", refunding)
        .run("housekeeping", workers::keep_house(payments, stop()))
        .until_stopped()
        .await?;
    Ok(())
}
