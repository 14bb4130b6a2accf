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
mod native;
mod servers;
mod tokens;

pub use bed::Bed;
pub use broker::Broker;
pub use eventually::{Eventually, eventually};
pub use fleet::{
    Answer, Booking, Concert, ConcertPlan, Fleet, FleetBuilder, Person, Service, Stock, Urls,
};
pub use tokens::{TokenMint, jwks, token, token_of};
