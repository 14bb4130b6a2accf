//! event-service: events, their seats and tickets, and who holds or has bought them.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::sync::Arc;

use karcis_http::{About, App, TokenKeys};
use karcis_messaging::{Kafka, Outbox, connect, migrate};
use karcis_process::Process;
use tokio::net::TcpListener;

use adapters::{
    http::{ApiState, CatalogueCache, routes},
    kafka::{Commands, encode},
    metrics,
    postgres::{PgEvents, PgReadiness},
    workers::announce_cancelled,
};
pub use config::Config;

/// The service's name, which its messages and its consumer group bear.
const SERVICE: &str = "event-service";
const ABOUT: About = About {
    service: SERVICE,
    about: "events, their tickets, and what is left of them",
    port: 8082,
};

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_http::openapi(ABOUT, routes().into_openapi())
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
    migrate(&pool, karcis_schemas::EVENTS.migrations).await?;
    let outbox = Outbox::new(pool.clone(), SERVICE);
    let events = Arc::new(PgEvents::new(pool.clone(), outbox.clone(), encode));
    let keys = TokenKeys::fetched_from(&config.keys.jwks_url);
    let app = App {
        about: ABOUT,
        routes: routes().with_state(ApiState {
            events: events.clone(),
            catalogue: Arc::new(CatalogueCache::new(events.clone())),
            tickets: events.clone(),
        }),
        keys: keys.clone(),
        readiness: Arc::new(PgReadiness(pool.clone())),
    };
    let commands = Commands { stocks: events.clone(), max_unpaid_holds: config.max_holds };
    metrics::describe();
    let stopping = process.stopping();
    process
        .run("http", karcis_http::serve(listener, app, config.http, stopping.clone()))
        .run("keys", keys.keep_fresh(stopping.clone()))
        .run("commands", kafka.clone().consume(SERVICE, pool, commands, stopping.clone()))
        .run("announcer", announce_cancelled(events, outbox.clone(), stopping.clone()))
        .run("outbox", outbox.relay(kafka, stopping))
        .until_stopped()
        .await?;
    Ok(())
}
