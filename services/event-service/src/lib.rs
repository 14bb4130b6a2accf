//! event-service: what events there are, and who holds or has bought which of their seats.

mod adapters;
mod application;
mod config;
mod domain;

use std::sync::Arc;

use adapters::{
    http::{Desk, ShopWindow, routes},
    kafka::{Commands, keep_announcing},
    metrics,
    postgres::{PgCancelledEvents, PgCatalogue, PgEvents, PgStocks},
};
use karcis_http::TokenKeys;
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
    let (pool, outbox) = (base.pool.clone(), base.outbox.clone());
    let keys = TokenKeys::fetched_from(&config.keys.jwks_url);
    let routes = routes().with_state(Desk {
        events: Arc::new(PgEvents::new(pool.clone(), outbox.clone())),
        window: Arc::new(ShopWindow::new(Arc::new(PgCatalogue(pool.clone())))),
    });
    let commands = Commands {
        stocks: Arc::new(PgStocks::new(pool.clone(), outbox.clone())),
        most_unpaid: config.max_holds,
    };
    let cancelled = Arc::new(PgCancelledEvents::new(pool, outbox.clone()));
    metrics::describe();
    process
        .run("http", base.serve(listener, routes, &keys))
        .run("keys", keys.keep_fresh(base.stopping()))
        .run("consumer", base.consume(commands))
        .run("outbox", base.relay())
        .run("announcer", keep_announcing(cancelled, outbox, base.stopping()))
        .until_stopped()
        .await?;
    Ok(())
}
