//! The fleet, seen from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod cancelled;
mod crashes;
mod declined;
mod event_cancelled;
mod expired;
mod instances;
mod malformed;
#[cfg(target_os = "linux")]
mod memory;
mod openapi;
mod outage;
mod paid;
mod readme;
mod rejected;
mod settings;
mod stampede;
mod telemetry;
