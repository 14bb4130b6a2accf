//! What tests share: real Kafka and Postgres, a database and topics of one's own, a fleet,
//! people who use it, and `eventually`.

// What is here runs in tests only, where a panic is the way to say what went wrong.
#![allow(clippy::unwrap_used)]

mod bed;
mod broker;
mod containers;
mod eventually;
mod fleet;
mod guard;
mod inbox;
mod native;
mod servers;
mod tokens;

use futures_util::StreamExt;

pub use bed::Bed;
pub use broker::Broker;
pub use eventually::{Eventually, eventually};
pub use fleet::{
    Answer, Booking, Concert, ConcertPlan, Fleet, FleetBuilder, Ledger, NoAnswer, Person,
    Processes, Service, Stock, Urls, program,
};
pub use inbox::Inbox;
pub use tokens::{TokenMint, token, token_of};

/// Runs all this work, so many at once, and returns what each gave, in order.
pub async fn together<F: Future>(
    at_once: usize,
    work: impl IntoIterator<Item = F>,
) -> Vec<F::Output> {
    futures_util::stream::iter(work).buffered(at_once).collect().await
}
