//! Runs the real domains of booking-, event- and payment-service against each other, without I/O.

mod explore;
mod invariants;
mod messages;
mod participants;
mod rules;
mod samples;
mod world;

pub use explore::{Explored, explore};
pub use rules::Rules;
pub use samples::Scenario;
