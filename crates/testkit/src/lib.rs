//! What tests of any service share: real Kafka and Postgres, a database and topics of one's own, the
//! harness of one service, access tokens, and `eventually`.

mod apart;
mod broker;
mod cluster;
mod containers;
mod environment;
mod eventually;
mod full_disk;
mod groups;
mod guard;
mod http;
mod inbox;
mod ledger;
mod lifetime;
mod lost_commit;
mod native;
mod peer;
mod postgres_server;
pub mod processes;
mod proxy;
mod running_service;
mod servers;
mod shared;
mod silent_proxy;
mod slow_proxy;
mod stripe_double;
mod template;
pub mod tokens;
mod wrong_clock;

use futures_util::StreamExt;

pub use broker::Broker;
pub use cluster::{BROKERS, Cluster, Member, PostgresPair, postgres_pair};
pub use environment::{TestEnvironment, all_sent, one_connection};
pub use eventually::{Eventually, eventually};
pub use http::{Answer, NoAnswer, Person};
pub use inbox::Inbox;
pub use ledger::Ledger;
pub use lost_commit::LostCommits;
pub use peer::{Heard, Peer};
pub use postgres_server::PostgresServer;
pub use running_service::RunningService;
pub use servers::kafka_client;
pub use silent_proxy::SilentProxy;
pub use slow_proxy::SlowProxy;
pub use stripe_double::{STRIPE_KEY, STRIPE_RETRY_AFTER, StripeDouble, StripeFault};
pub use tokens::{TokenMint, token, token_of};
pub use wrong_clock::WrongClock;

/// Runs all this work, at most `at_once` at a time, and returns what each gave, in order.
pub async fn together<F: Future>(
    at_once: usize,
    work: impl IntoIterator<Item = F>,
) -> Vec<F::Output> {
    futures_util::stream::iter(work).buffered(at_once).collect().await
}
