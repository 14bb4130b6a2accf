//! payment-service: takes a buyer's money once, whatever fails meanwhile, and gives it back once.

mod adapters;
mod application;
mod config;
pub mod domain;

use std::{sync::Arc, time::Duration};

use karcis_http::{About, App, Live, TokenKeys};
use karcis_messaging::{Kafka, Outbox, connect, connect_to, migrate};
use karcis_process::Process;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

use adapters::{
    gateway::{measured::Measured, simulated::SimulatedGateway},
    http::{self, Api},
    kafka::Commands,
    lanes::AttemptLanes,
    metrics,
    postgres::{PgPayments, Wakes},
    workers::Worker,
};
pub use config::Config;

const SERVICE: &str = "payment-service";
const ABOUT: About = About {
    service: SERVICE,
    about: "takes a buyer's money once and gives it back once",
    port: 8084,
};

/// Connections to the simulated provider's ledger: one for each of its lanes.
const GATEWAY_CONNECTIONS: u32 = 3;

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_http::openapi(ABOUT, http::routes().into_openapi())
}

/// Why the service did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its database does not answer or its schema cannot be brought up to date.
    #[error(transparent)]
    Database(#[from] karcis_messaging::DatabaseError),
    /// A Kafka setting is wrong.
    #[error("{0}")]
    Kafka(#[from] karcis_messaging::KafkaError),
    /// One of its tasks ended.
    #[error("{0}")]
    Stopped(#[from] karcis_process::StopError),
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    let kafka = Kafka::connect(&config.kafka)?;
    let pool = connect(&config.database).await?;
    migrate(&pool, karcis_schemas::PAYMENTS.migrations).await?;
    let ledger = connect_to(
        "KARCIS_GATEWAY_DATABASE_URL",
        &config.gateway.gateway_database_url,
        GATEWAY_CONNECTIONS,
    )
    .await?;
    migrate(&ledger, karcis_schemas::SIMULATED_GATEWAY.migrations).await?;

    let outbox = Outbox::new(pool.clone(), SERVICE);
    let (live, void, give_back) = (Live::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let wakes = Wakes {
        outbox: outbox.clone(),
        live: live.clone(),
        void: void.clone(),
        give_back: give_back.clone(),
    };
    let payments = Arc::new(PgPayments::new(pool.clone(), wakes));
    let patience = Duration::from_millis(config.gateway.provider_timeout_ms);
    let gateway = Arc::new(Measured(SimulatedGateway::new(&ledger, patience)));

    metrics::describe();
    let stopping = process.stopping();
    let keys = TokenKeys::fetched_from(&config.keys.jwks_url);
    let worker =
        Worker { payments: payments.clone(), gateway: gateway.clone(), stopping: stopping.clone() };
    let charges = TaskTracker::new();
    let api = Api {
        attempts: Arc::new(AttemptLanes::new(payments.clone())),
        payments: payments.clone(),
        gateway,
        live: live.clone(),
        charges: charges.clone(),
        provider_wait: Duration::from_millis(config.gateway.provider_wait_ms),
    };
    let app = App {
        about: ABOUT,
        routes: http::routes().with_state(api),
        keys: keys.clone(),
        readiness: payments.clone(),
    };
    let serving = karcis_http::serve(listener, app, config.http, stopping.clone());
    process
        .run("http", async move {
            let served = serving.await;
            // The last request has been answered; its charge may still be at the provider.
            charges.close();
            charges.wait().await;
            served
        })
        .run("signing keys", keys.keep_fresh(stopping.clone()))
        .run("live answers", live.run(payments.clone(), stopping.clone()))
        .run("commands", kafka.clone().consume(SERVICE, pool, Commands(payments), stopping.clone()))
        .run("outbox", outbox.relay(kafka, stopping))
        .run("resolve attempts", worker.clone().resolve(patience))
        .run("void attempts", worker.clone().void(void))
        .run("give money back", worker.clone().give_back(give_back))
        .run("forget keys", worker.forget_keys())
        .until_stopped()
        .await?;
    Ok(())
}
