//! payment-service: takes a buyer's money once, whatever fails meanwhile, and gives it back once.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::{convert::Infallible, sync::Arc, time::Duration};

use adapters::{
    gateway::{self, Gateway},
    http::{self, ApiState},
    kafka::{self, Commands},
    metrics,
    postgres::{BatchedPayments, LedgerReconciler, PgPayments, Signals},
    workers,
};
use application::{PaymentGateway, Payments};
use karcis_database::Pool;
use karcis_http::Live;
use karcis_messaging::{Consumer, Outbox};
use karcis_process::Process;
use karcis_schemas::{PAYMENT, SIMULATED_GATEWAY};
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

pub use config::Config;

/// How much longer than the provider may take somebody asks it alone about a payment: when it is over,
/// that somebody is gone.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// A worker that shows no sign of life for longer hangs, unless the provider makes it wait.
const ALIVE_WITHIN: Duration = Duration::from_secs(60);

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&PAYMENT, http::routes())
}

/// The store, the simulated provider with its `ledger`, and the reader of messages that [`run`] gives to HTTP and
/// Kafka, without these two: `karcis bench` measures what they reach by themselves.
pub fn floor(pool: Pool, ledger: &Pool) -> (impl Payments, impl PaymentGateway, impl Consumer) {
    let outbox = Outbox::new(pool.clone(), PAYMENT.full_name());
    let signals = Signals { outbox, live: Live::new(), ask: <[Arc<Notify>; 2]>::default() };
    let payments = Arc::new(PgPayments::new(pool, ALIVE_WITHIN, signals, kafka::encode));
    let commands = Commands { payments: payments.clone() };
    (BatchedPayments::start(payments), gateway::simulated(ledger, ALIVE_WITHIN), commands)
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    config.gateway.check().map_err(StartError::own)?;
    let secrets = config.gateway.webhook_secrets().map_err(StartError::own)?;
    let base = Base::start(&PAYMENT, config.service, &process).await?;
    let keys = config.keys.keys();
    let (ledger, listening) = (SIMULATED_GATEWAY.migrations, listener.local_addr()?);
    let (own, stopping) = (&base.pools.writes, base.stopping());
    let gateway = gateway::connect(&config.gateway, secrets, own, ledger, listening, stopping);
    let Gateway { port: gateway, pages, work } = gateway.await?;

    let (live, ask) = (Live::new(), <[Arc<Notify>; 2]>::default());
    let (outbox, age) = (base.outbox.clone(), config.gateway.provider_timeout());
    let signals = Signals { outbox: outbox.clone(), live: live.clone(), ask: ask.clone() };
    let by = |pool: &Pool| {
        let lease = age + LEASE_MARGIN;
        Arc::new(PgPayments::new(pool.clone(), lease, signals.clone(), kafka::encode))
    };
    let payments = by(&base.pools.saga);

    let at_rest = config.reconcile.at_rest();
    let ledger = LedgerReconciler::new(base.pools.saga.clone(), gateway.clone(), at_rest);
    metrics::describe();
    let charges = TaskTracker::new();
    let routes = http::routes().with_state(ApiState {
        payments: Arc::new(BatchedPayments::start(by(&base.pools.writes))),
        unsettled: by(&base.pools.writes),
        outcomes: by(&base.pools.reads),
        gateway: gateway.clone(),
        live: live.clone(),
        charges: charges.clone(),
        provider_wait: config.gateway.provider_wait(),
    });
    let serving = base.serve(listener, routes.merge(pages.into()), &keys);
    let stop = || base.stopping();
    let alive = |task| base.alive(task, ALIVE_WITHIN + age);
    let both = || (payments.clone(), gateway.clone());
    let process = workers::ASKING.into_iter().fold(process, |process, (name, refunds)| {
        let (which, ask) = ((outbox.clone(), refunds), ask[usize::from(refunds)].clone());
        process.run(name, workers::run_asking(both(), which, ask, alive(name), stop()))
    });
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
        .run("provider", async move {
            work.await;
            Ok::<_, Infallible>(())
        })
        .run("reconciler", base.reconcile(ledger, config.reconcile))
        .run("housekeeping", workers::keep_house(payments, stop()))
        .until_stopped()
        .await?;
    Ok(())
}
