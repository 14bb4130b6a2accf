//! booking-service takes orders and sees each one through: reserve, pay, confirm, or undo.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::sync::Arc;

use adapters::{
    http::{self, ApiState},
    kafka::{Replies, encode},
    metrics,
    postgres::{BatchedBookings, PgBookings},
    workers,
};
use domain::ResendSchedule;
use karcis_http::Live;
use karcis_process::Process;
use karcis_schemas::BOOKING;
use karcis_service::{Base, StartError};
use tokio::{net::TcpListener, sync::Notify};

pub use config::Config;

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&BOOKING, http::routes())
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    metrics::describe();
    let creates = config.service.http.limits.limit("bookings", config.rate_limit_bookings);
    let base = Base::start(&BOOKING, config.service, &process).await?;
    let (outbox, live) = (base.outbox.clone(), Live::new());
    let keys = config.keys.keys();
    let event_cancelled = Arc::new(Notify::new());
    let resends = ResendSchedule::new(config.resend_after);
    let bookings =
        Arc::new(PgBookings::new(base.pool.clone(), outbox.clone(), live.clone(), encode));
    let routes = http::routes().with_state(ApiState {
        bookings: Arc::new(BatchedBookings::start(bookings.clone())),
        queries: bookings.clone(),
        live: live.clone(),
        outbox: outbox.clone(),
        payment_window: config.payment_window,
        resends,
        creates,
    });
    let replies =
        Replies { bookings: bookings.clone(), event_cancelled: event_cancelled.clone(), resends };
    let stop = || base.stopping();
    let timers = workers::run_timers(bookings.clone(), resends, outbox.clone(), stop());
    let cancelled_events = workers::cancel_bookings_of_cancelled_events(
        bookings.clone(),
        resends,
        outbox,
        event_cancelled,
        stop(),
    );
    process
        .run("http", base.serve(listener, routes, &keys))
        .run("keys", keys.keep_fresh(stop()))
        .run("consumer", base.consume(replies))
        .run("outbox", base.relay())
        .run("live", live.run(bookings.clone(), stop()))
        .run("timers", timers)
        .run("cancelled events", cancelled_events)
        .run("housekeeping", workers::keep_house(bookings, stop()))
        .until_stopped()
        .await?;
    Ok(())
}
