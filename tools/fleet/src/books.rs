//! What must hold when a fleet is at rest: all messages are sent, none is dead-lettered, and of every
//! booking that has ended the three services and the provider say the same.

use std::time::Duration;

use karcis_schemas::SERVICES;
use karcis_testkit::{all_sent, eventually, one_connection};
use sqlx::PgPool;

/// Waits until all holds; panics with what does not agree within this time.
pub(crate) async fn add_up(database_url: &str, timeout: Duration) {
    for service in SERVICES {
        all_sent(database_url, *service.schema).await;
    }
    let pool = one_connection(database_url).await;
    let agreed = eventually(|| disagreements(&pool)).within(timeout);
    agreed.is(Vec::<Disagreement>::new()).await;
    pool.close().await;
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
