//! The database's clock, which says what time it is for all instances.
//!
//! Guarantees: an instance whose own clock is wrong works by the right time; it knows how far off it
//! is to within a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use karcis_kernel::Timestamp;
use karcis_process::{follow, machine_now};

use crate::Pool;

/// An answer that took longer says too little about the time.
const LONGEST_READING: Duration = Duration::from_secs(2);
/// Beyond this the machine's clock has to be corrected.
const TOLERATED_US: i64 = 5_000_000;

/// How far this machine's clock is off the database's. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// In microseconds; positive if it is ahead.
    offset_us: Arc<AtomicI64>,
}

impl Clock {
    /// Reads the database's clock, which [`karcis_process::now`] then follows. A slow answer changes
    /// nothing.
    pub async fn read(&self, pool: &Pool) -> Result<(), sqlx::Error> {
        let mut connection = pool.acquire().await?;
        let asked_at = Instant::now();
        let read = sqlx::query_scalar("SELECT clock_timestamp()");
        let time: Timestamp = read.fetch_one(&mut connection).await?;
        let took = asked_at.elapsed();
        if took <= LONGEST_READING {
            let (at, machine_time) = (asked_at + took / 2, machine_now() - took / 2);
            follow(time, at);
            self.offset_us
                .store((machine_time - time).num_microseconds().unwrap_or(i64::MAX), Relaxed);
        }
        Ok(())
    }

    /// How far this machine's clock is off, in seconds; positive if it is ahead.
    pub fn offset_seconds(&self) -> f64 {
        self.offset_us.load(Relaxed) as f64 / 1_000_000.0
    }

    /// What is wrong with this machine's clock, if anything is.
    pub fn complaint(&self) -> Option<String> {
        let offset_us = self.offset_us.load(Relaxed);
        let side = if offset_us > 0 { "ahead of" } else { "behind" };
        (offset_us.saturating_abs() > TOLERATED_US).then(|| {
            let seconds = offset_us.saturating_abs() / 1_000_000;
            format!("this machine's clock is {seconds} s {side} the database's: correct it")
        })
    }
}
