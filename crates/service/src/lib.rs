//! The skeleton that every service is built on: shared settings, the start-up error, connecting,
//! and `main`.

mod base;
mod config;
mod program;

pub use base::{Base, openapi};
pub use config::ServiceConfig;
pub use program::{StartError, main, run_program};
