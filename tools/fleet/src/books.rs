//! The one check of the books: what must hold of all tables and of the provider's ledger, by the numbers of
//! the rules in docs/proof.md; and the story of a booking that breaks one.

mod rules;
mod story;

use std::time::Duration;

use karcis_kernel::BookingId;
use karcis_schemas::SERVICES;
use karcis_testkit::{all_sent, eventually, one_connection};
use sqlx::PgPool;
use uuid::Uuid;

pub use rules::When;
pub use story::story;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its number in docs/proof.md.
    pub rule: u8,
    /// Of whom, if it is one booking's.
    pub booking: Option<BookingId>,
    pub what: String,
}

impl Violation {
    /// Of this rule.
    pub fn new(rule: u8, booking: Option<BookingId>, what: impl Into<String>) -> Self {
        Self { rule, booking, what: what.into() }
    }
}

/// What does not hold now of all that must hold at such a time, a few of each kind.
///
/// # Errors
/// The tables cannot be read.
pub async fn violations(superuser: &PgPool, when: When) -> Result<Vec<Violation>, sqlx::Error> {
    let mut found = Vec::new();
    for rule in rules::RULES.iter().filter(|rule| rule.when <= when) {
        let rows: Vec<(Option<Uuid>, String)> =
            sqlx::query_as(rule.broken).fetch_all(superuser).await?;
        let broken = |(booking, what): (Option<Uuid>, String)| Violation {
            rule: rule.number,
            booking: booking.map(BookingId),
            what,
        };
        found.extend(rows.into_iter().map(broken));
    }
    Ok(found)
}

/// Waits until all messages are sent and all that must hold then holds; panics with what does not within this
/// time.
pub(crate) async fn add_up(database_url: &str, timeout: Duration, when: When) {
    for service in SERVICES {
        all_sent(database_url, *service.schema).await;
    }
    let pool = one_connection(database_url).await;
    let look = async || violations(&pool, when).await.expect("the tables can be read");
    eventually(look).within(timeout).is(Vec::<Violation>::new()).await;
    pool.close().await;
}
