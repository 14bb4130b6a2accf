//! booking-service takes orders and sees each one through: reserve, pay, confirm, or undo.

pub mod adapters;
pub mod application;
mod config;
pub mod domain;

use std::sync::Arc;

use adapters::{
    http::{self, Desk},
    kafka::Replies,
    postgres::PgBookings,
    workers,
};
use karcis_http::{About, App, Live, TokenKeys};
use karcis_messaging::{Kafka, Outbox, connect, migrate};
use karcis_process::Process;
use tokio::{net::TcpListener, sync::Notify};

pub use config::Config;

/// The service's name: its consumer group and its messages' source.
const NAME: &str = "booking-service";
const ABOUT: About = About {
    service: NAME,
    about: "takes orders and sees each one through: reserve, pay, confirm, or undo",
    port: 8083,
};

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
    migrate(&pool, karcis_schemas::BOOKINGS.migrations).await?;
    let (outbox, live) = (Outbox::new(pool.clone(), NAME), Live::new());
    let keys = TokenKeys::fetched_from(&config.keys.jwks_url);
    let event_cancelled = Arc::new(Notify::new());
    let bookings =
        Arc::new(PgBookings::new(pool.clone(), outbox.clone(), live.clone(), config.resend_after));
    let desk = Desk {
        bookings: bookings.clone(),
        queries: bookings.clone(),
        live: live.clone(),
        outbox: outbox.clone(),
        payment_window: config.payment_window,
    };
    let replies = Replies {
        bookings: bookings.clone(),
        events: bookings.clone(),
        event_cancelled: event_cancelled.clone(),
    };
    let app = App {
        about: ABOUT,
        routes: http::routes().with_state(desk),
        keys: keys.clone(),
        readiness: bookings.clone(),
    };
    let stopping = process.stopping();
    let stop = || stopping.clone();
    let alarms = workers::ring_alarms(bookings.clone(), outbox.clone(), stop());
    let undo =
        workers::undo_cancelled_events(bookings.clone(), outbox.clone(), event_cancelled, stop());
    process
        .run("http", karcis_http::serve(listener, app, config.http, stop()))
        .run("keys", keys.keep_fresh(stop()))
        .run("live", live.run(bookings.clone(), stop()))
        .run("replies", kafka.clone().consume(NAME, pool, replies, stop()))
        .run("alarms", alarms)
        .run("cancelled events", undo)
        .run("housekeeping", workers::keep_house(bookings, stop()))
        .run("outbox", outbox.relay(kafka, stop()))
        .until_stopped()
        .await?;
    Ok(())
}
