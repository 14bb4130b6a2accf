//! What every binary needs around its work: a clock, settings, logs and their sampling, trace context,
//! signals, and supervised tasks that drain at a stop.

mod boot;
mod chain;
mod clock;
mod crash_point;
mod export;
mod logs;
mod progress;
mod readiness;
mod sampler;
mod secrets;
mod supervise;
pub mod timer;
pub mod trace;

pub use boot::{exit_code, settings};
pub use chain::chain;
pub use clock::{follow, machine_now, now};
pub use crash_point::crash_point;
pub use logs::start as start_logs;
pub use progress::Progress;
pub use readiness::Readiness;
pub use sampler::Sampler;
pub use secrets::{Environment, Purpose};
pub use supervise::{Process, StopError};
pub use tokio_util::sync::CancellationToken;

/// glibc keeps an arena for each thread and does not return what a burst of password hashes has taken.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
