//! What every binary needs around its work: a clock, settings, logs and their sampling, trace context,
//! signals, and supervised tasks that drain at a stop.

mod boot;
mod chain;
mod export;
mod logs;
mod readiness;
mod sampler;
mod secrets;
mod supervise;
pub mod trace;

pub use boot::{exit_code, settings};
pub use chain::chain;
pub use readiness::Readiness;
pub use sampler::Sampler;
pub use secrets::{Environment, Purpose};
pub use supervise::{Process, StopError};
pub use tokio_util::sync::CancellationToken;

/// glibc keeps an arena for each thread and does not return what a burst of password hashes has taken.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The time now, cut to microseconds as Postgres stores it.
pub fn now() -> chrono::DateTime<chrono::Utc> {
    use chrono::SubsecRound;
    chrono::Utc::now().trunc_subsecs(6)
}
