//! event-service: events, their seats and tickets, and who holds or has bought them.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::sync::Arc;

use adapters::{
    http::{ApiState, CatalogueCache, routes},
    kafka::{Commands, encode},
    metrics,
    postgres::PgEvents,
    workers::announce_cancelled_events,
};
use karcis_process::Process;
use karcis_schemas::EVENT;
use karcis_service::{Base, StartError};
use tokio::net::TcpListener;

pub use config::Config;

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&EVENT, routes())
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    let base = Base::start(&EVENT, config.service, &process).await?;
    let outbox = base.outbox.clone();
    let events = Arc::new(PgEvents::new(base.pool.clone(), outbox.clone(), encode));
    let keys = config.keys.keys();
    let routes = routes().with_state(ApiState {
        events: events.clone(),
        catalogue: Arc::new(CatalogueCache::new(events.clone())),
        tickets: events.clone(),
    });
    let commands = Commands { stocks: events.clone(), max_unpaid_holds: config.max_holds };
    metrics::describe();
    process
        .run("http", base.serve(listener, routes, &keys))
        .run("keys", keys.keep_fresh(base.stopping()))
        .run("consumer", base.consume(commands))
        .run("outbox", base.relay())
        .run("announcer", announce_cancelled_events(events, outbox, base.stopping()))
        .until_stopped()
        .await?;
    Ok(())
}
