//! Every order, loss and repetition of messages for one booking: the domains of booking, event and payment,
//! explored against each other without time, stores or use cases.

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
