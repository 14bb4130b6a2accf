//! What must hold when a fleet is at rest: all messages are sent, none is dead-lettered, of every booking that has
//! ended the three services and the provider say the same, and all seats are those of bookings.

use std::time::Duration;

use karcis_schemas::SERVICES;
use karcis_testkit::{all_sent, eventually};
use sqlx::{PgPool, postgres::PgPoolOptions};

/// Waits until all holds; panics with what does not agree within this time.
pub(crate) async fn add_up(database_url: &str, timeout: Duration) {
    for service in SERVICES {
        all_sent(database_url, *service.schema).await;
    }
    let options = PgPoolOptions::new().max_connections(1);
    let pool = options.connect(database_url).await.expect("the database answers");
    let agreed = eventually(|| disagreements(&pool)).within(timeout);
    agreed.is(Vec::<Disagreement>::new()).await;
    eventually(|| wrong(&pool)).within(timeout).is(Vec::<String>::new()).await;
    pool.close().await;
}

async fn wrong(pool: &PgPool) -> Vec<String> {
    let lines = sqlx::query_scalar(include_str!("at_rest.sql")).fetch_all(pool).await;
    lines.expect("the services' tables can be read")
}

/// A booking that has ended, with what the others have of it.
#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Disagreement {
    booking: String,
    stage: String,
    hold: String,
    price: i64,
    kept: i64,
}

async fn disagreements(pool: &PgPool) -> Vec<Disagreement> {
    let rows = sqlx::query_as(DISAGREEMENTS).fetch_all(pool).await;
    rows.expect("the services' tables can be read")
}

const DISAGREEMENTS: &str = include_str!("../../../docs/restore/disagreements.sql");
