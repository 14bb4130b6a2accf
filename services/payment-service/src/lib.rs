//! payment-service: takes a buyer's money once, whatever fails meanwhile, and gives it back once.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::sync::Arc;

use karcis_http::{About, App, Live, TokenKeys};
use karcis_messaging::{Kafka, Outbox, connect, migrate};
use karcis_process::Process;
use sqlx::migrate::Migrator;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

use adapters::{
    gateway,
    http::{self, ApiState},
    kafka::{self, Commands},
    lanes::AttemptLanes,
    metrics,
    postgres::{PgPayments, Signals},
    workers::Worker,
};
pub use config::Config;

const SERVICE: &str = "payment-service";
const ABOUT: About = About {
    service: SERVICE,
    about: "takes a buyer's money once and gives it back once",
    port: 8084,
};

/// The service's schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/payment");

/// The schema of the simulated provider's ledger.
pub static GATEWAY_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/simulated_gateway");

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
    let broker = Kafka::connect(&config.kafka)?;
    let pool = connect(&config.database).await?;
    migrate(&pool, &MIGRATIONS).await?;
    let gateway = gateway::connect(&config.gateway).await?;

    let outbox = Outbox::new(pool.clone(), SERVICE);
    let (live, void, refund) = (Live::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = Signals {
        outbox: outbox.clone(),
        live: live.clone(),
        void: void.clone(),
        refund: refund.clone(),
    };
    let payments = Arc::new(PgPayments::new(pool.clone(), signals, kafka::encode));

    metrics::describe();
    let stopping = process.stopping();
    let keys = TokenKeys::fetched_from(&config.keys.jwks_url);
    let worker =
        Worker { payments: payments.clone(), gateway: gateway.clone(), stopping: stopping.clone() };
    let charges = TaskTracker::new();
    let api = ApiState {
        attempts: Arc::new(AttemptLanes::new(payments.clone())),
        payments: payments.clone(),
        gateway,
        live: live.clone(),
        charges: charges.clone(),
        provider_wait: config.gateway.provider_wait(),
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
        .run(
            "commands",
            broker.clone().consume(SERVICE, pool, Commands(payments), stopping.clone()),
        )
        .run("outbox", outbox.relay(broker, stopping))
        .run("resolve attempts", worker.clone().resolve(config.gateway.provider_timeout()))
        .run("void attempts", worker.clone().void(void))
        .run("refund payments", worker.clone().refund(refund))
        .run("purge keys", worker.purge_keys())
        .until_stopped()
        .await?;
    Ok(())
}
