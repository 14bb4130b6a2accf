//! The fleet, seen from outside.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is missing")]

mod browser;
mod cancelled;
mod cluster;
#[cfg(debug_assertions)]
mod crash_points;
mod crashes;
mod declined;
mod deployment;
mod erased;
mod event_cancelled;
mod event_moved;
mod every_message;
mod expired;
mod frozen;
mod history;
mod instances;
mod limits;
mod malformed;
#[cfg(target_os = "linux")]
mod memory;
mod openapi;
mod outage;
mod paid;
mod provider;
mod readme;
mod rejected;
mod rewound;
mod settings;
mod signing_keys;
mod stampede;
mod telemetry;
mod topics;

/// Held by a test with twice as many servers or services as others: on two cores, two of them would hold each other up.
static MANY_PROCESSES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
