//! The time that a process works by: the database's, once it has been asked for it, so that instances
//! whose own clocks differ agree. Until then, this machine's.
//!
//! Guarantees: between two readings the time goes on by the machine's monotonic clock, so that a
//! machine whose clock is set changes nothing.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Instant,
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// What time it was at [`START`], in microseconds since 1970.
static TIME_AT_START_US: AtomicI64 = AtomicI64::new(UNKNOWN);
const UNKNOWN: i64 = i64::MIN;

/// The time now, cut to microseconds as Postgres stores it.
pub fn now() -> DateTime<Utc> {
    let since_start = START.elapsed();
    let at_start = DateTime::from_timestamp_micros(TIME_AT_START_US.load(Relaxed));
    match at_start {
        Some(at_start) => (at_start + since_start).trunc_subsecs(6),
        None => machine_now(),
    }
}

/// The time now by this machine's own clock, cut to microseconds.
pub fn machine_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// From now on, [`now`] follows the clock that showed `time` at `at`.
pub fn follow(time: DateTime<Utc>, at: Instant) {
    let since_start = TimeDelta::from_std(at.saturating_duration_since(*START)).unwrap_or_default();
    TIME_AT_START_US.store((time - since_start).timestamp_micros(), Relaxed);
}
