//! The skeleton that every service is built on: shared settings, the start-up error, connecting, what
//! operators see of every service, and `main`.

mod base;
mod config;
mod ops;
mod program;
mod reconcile;

pub use base::{Base, openapi};
pub use config::ServiceConfig;
pub use program::{StartError, main, run_program};
pub use reconcile::ReconcileConfig;
