//! event-service: events, their seats and tickets, and who holds or has bought them.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::{sync::Arc, time::Duration};

use adapters::{
    http::{ApiState, CatalogueCache, FILES_AT_ONCE, routes},
    kafka::{Commands, encode},
    metrics,
    postgres::{PgEvents, StockReconciler},
    workers::{announce_cancelled_events, keep_house},
};
use karcis_database::Pool;
use karcis_http::Live;
use karcis_messaging::{Consumer, Outbox};
use karcis_process::Process;
use karcis_schemas::EVENT;
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Semaphore};

pub use config::Config;

/// A worker that shows no sign of life for longer hangs.
const ALIVE_WITHIN: Duration = Duration::from_secs(60);

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&EVENT, routes())
}

/// The reader of messages that [`run`] gives to Kafka, without that: `karcis bench` measures what it reaches by
/// itself. A buyer may have `max_unpaid_holds` of an event.
pub fn floor(pool: Pool, max_unpaid_holds: u32) -> impl Consumer {
    let outbox = Outbox::new(pool.clone(), EVENT.full_name());
    Commands { stocks: Arc::new(PgEvents::new(pool, outbox, encode)), max_unpaid_holds }
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    let limits = config.service.http.limits.clone();
    let base = Base::start(&EVENT, config.service, &process).await?;
    let outbox = base.outbox.clone();
    let by = |pool: &Pool| Arc::new(PgEvents::new(pool.clone(), outbox.clone(), encode));
    let (events, shown) = (by(&base.pools.saga), by(&base.pools.reads));
    let keys = config.keys.keys();
    let live = Live::new();
    let catalogue = Arc::new(CatalogueCache::new(shown.clone()));
    let written = by(&base.pools.writes);
    let routes = routes().with_state(ApiState {
        events: written.clone(),
        doors: written,
        catalogue: catalogue.clone(),
        tickets: shown.clone(),
        ticket_lists: shown.clone(),
        files: Arc::new(Semaphore::new(FILES_AT_ONCE)),
        holds: shown.clone(),
        sales: shown.clone(),
        live: live.clone(),
        searches: limits.limit("searches", config.rate_limit_searches),
    });
    let commands = Commands { stocks: events.clone(), max_unpaid_holds: config.max_holds };
    let stock = StockReconciler(base.pools.saga.clone());
    metrics::describe();
    let alive = base.alive("announcer", ALIVE_WITHIN);
    process
        .run("http", base.serve(listener, routes, &keys))
        .run("keys", keys.keep_fresh(base.stopping()))
        .run("consumer", base.consume(commands))
        .run("outbox", base.relay())
        .run("database", base.watch())
        .run("live", live.run(shown, base.stopping()))
        .run("reconciler", base.reconcile(stock, config.reconcile))
        .run("catalogue", catalogue.sweep(base.stopping()))
        .run("housekeeping", keep_house(events.clone(), base.stopping()))
        .run("announcer", announce_cancelled_events(events, outbox, alive, base.stopping()))
        .until_stopped()
        .await?;
    Ok(())
}
