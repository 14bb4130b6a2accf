//! Services and people in virtual time, in one process and one thread: a seed gives exactly the same run.
//!
//! What is real: the domains and the use cases of the four services. What stands for something real, and for
//! what:
//!
//! | module | stands for |
//! |---|---|
//! | `rows`, `ports` | the tables, and `adapters/postgres` of each service; the simulated provider; the mail server |
//! | `messages` | `adapters/kafka/messages.rs` of each service |
//! | `broker` | Kafka: topics, partitions, groups |
//! | `services` | the loops of `crates/messaging` (relay, consumer) and of `adapters/workers.rs` |
//! | `people` | clients, and the handlers of `adapters/http` between them and the use cases |
//! | `executor`, `processes`, `world` | processes, time, and everything that they share |
//! | `faults`, `strikes`, `obstacles`, `mishaps` | what goes wrong |
//!
//! `plan` is what a seed draws, `run` runs it, `checks` and `answers` look after every commit, `told` after every
//! e-mail, `look` every 5 s and `rest` at the end, `shrink` makes a failing plan small, and `campaign` runs many
//! seeds.

mod answers;
mod broker;
mod campaign;
mod checks;
mod executor;
mod faults;
mod ids;
mod look;
mod messages;
mod mishaps;
mod obstacles;
mod people;
mod plan;
mod ports;
mod processes;
mod progress;
mod random;
mod rest;
mod rows;
mod run;
mod services;
mod shrink;
mod strikes;
mod told;
mod world;

pub use campaign::{Campaign, Summary};
pub use checks::{RULES, Violation};
pub use faults::{Fault, FaultKind};
pub use plan::Plan;
pub use ports::Ports;
pub use run::{Outcome, run};
pub use shrink::{Shrunk, shrink};
