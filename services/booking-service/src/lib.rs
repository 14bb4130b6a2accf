//! booking-service takes orders and sees each one through: reserve, pay, confirm, or undo.

mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::{sync::Arc, time::Duration};

use adapters::{
    http::{self, ApiState},
    kafka::{Replies, encode},
    metrics,
    postgres::{AnswerReconciler, BatchedBookings, CancelledEvents, MovedEvents, PgBookings},
    workers::{self, EventWork},
};
use application::{Bookings, OpenEvents};
use domain::{Input, ResendSchedule};
use karcis_database::Pool;
use karcis_http::Live;
use karcis_messaging::{Consumer, Outbox};
use karcis_process::Process;
use karcis_schemas::BOOKING;
use karcis_service::{Base, StartError};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
};

pub use config::Config;

/// A worker that shows no sign of life for longer hangs.
const ALIVE_WITHIN: Duration = Duration::from_secs(60);

/// What it serves, as OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    karcis_service::openapi(&BOOKING, http::routes())
}

/// The store and the reader of messages that [`run`] gives to HTTP and Kafka, without these two: `karcis bench`
/// measures what they reach by themselves.
pub fn floor(pool: Pool, resends: ResendSchedule) -> (impl Bookings, impl Consumer) {
    let outbox = Outbox::new(pool.clone(), BOOKING.full_name());
    let bookings = Arc::new(PgBookings::new(pool, outbox, Live::new(), encode));
    let [event_cancelled, event_moved] = <[Arc<Notify>; 2]>::default();
    let replies = Replies { bookings: bookings.clone(), event_cancelled, event_moved, resends };
    (BatchedBookings::start(bookings), replies)
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(
    config: Config,
    listener: TcpListener,
    process: Process,
) -> Result<(), StartError> {
    metrics::describe();
    let creates = config.service.http.limits.limit("bookings", config.rate_limit_bookings);
    let ticket_mails =
        config.service.http.limits.limit("ticket_mails", config.rate_limit_ticket_mails);
    let base = Base::start(&BOOKING, config.service, &process).await?;
    let (outbox, live) = (base.outbox.clone(), Live::new());
    let keys = config.keys.keys();
    let (event_cancelled, event_moved) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let resends = ResendSchedule::new(config.resend_after);
    let by =
        |pool: &Pool| Arc::new(PgBookings::new(pool.clone(), outbox.clone(), live.clone(), encode));
    let (bookings, shown) = (by(&base.pools.saga), by(&base.pools.reads));
    let batched = Arc::new(BatchedBookings::start(by(&base.pools.writes)));
    let routes = http::routes().with_state(ApiState {
        bookings: batched.clone(),
        names: batched,
        queries: shown.clone(),
        sagas: shown.clone(),
        live: live.clone(),
        outbox: outbox.clone(),
        payment_window: config.payment_window,
        require_verified_email: config.require_verified_email,
        resends,
        creates,
        ticket_mails,
        creating: Arc::new(Semaphore::new(http::CREATES_AT_ONCE)),
    });
    let replies = Replies {
        bookings: bookings.clone(),
        event_cancelled: event_cancelled.clone(),
        event_moved: event_moved.clone(),
        resends,
    };
    let answers = AnswerReconciler::new(bookings.clone(), config.reconcile.at_rest());
    let stop = || base.stopping();
    let alive = |task| base.alive(task, ALIVE_WITHIN);
    let timers =
        workers::run_timers(bookings.clone(), resends, outbox.clone(), alive("timers"), stop());
    let event_work = |task, events: Arc<dyn OpenEvents>, input, recorded| {
        let work = EventWork { events, input, recorded };
        let (bookings, outbox) = (bookings.clone(), outbox.clone());
        workers::apply_to_open_events(bookings, work, resends, outbox, alive(task), stop())
    };
    let events = Arc::new(CancelledEvents(bookings.clone()));
    let cancelled = event_work("cancelled events", events, Input::EventCancelled, event_cancelled);
    let events = Arc::new(MovedEvents::new(bookings.clone()));
    let moved = event_work("moved events", events, Input::EventChanged, event_moved);
    process
        .run("http", base.serve(listener, routes, &keys))
        .run("keys", keys.keep_fresh(stop()))
        .run("consumer", base.consume(replies))
        .run("outbox", base.relay())
        .run("database", base.watch())
        .run("live", live.run(shown, stop()))
        .run("reconciler", base.reconcile(answers, config.reconcile))
        .run("timers", timers)
        .run("cancelled events", cancelled)
        .run("moved events", moved)
        .run("housekeeping", workers::keep_house(bookings, stop()))
        .until_stopped()
        .await?;
    Ok(())
}
