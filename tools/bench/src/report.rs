//! What a run has to say: as a table for people, and for programs.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use crate::{postgres::Written, stadium::Stadium};

/// All that was measured in one run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub(crate) cores: usize,
    /// The part of the machine's time that other processes took.
    pub(crate) disturbed: f64,
    pub(crate) idle: Idle,
    pub(crate) loads: Vec<Load>,
    pub(crate) reads: Vec<Reads>,
    /// Bookings confirmed in a second with no HTTP and no Kafka. Not of a fleet that was there before.
    pub(crate) floor: Option<f64>,
    /// Not of a fleet that was there before.
    pub(crate) grown: Option<Grown>,
    /// Not of a fleet that was there before.
    pub(crate) stadium: Option<Stadium>,
}

/// One buyer after the other.
#[derive(Debug, Serialize)]
pub(crate) struct Idle {
    pub(crate) created: Percentiles,
    pub(crate) confirmed: Percentiles,
}

/// Many buyers at once.
#[derive(Debug, Serialize)]
pub(crate) struct Load {
    /// What was bought and by whom.
    pub(crate) name: String,
    pub(crate) confirmed_per_s: f64,
    /// In each second of the load.
    pub(crate) throughput: Vec<i64>,
    pub(crate) created: Percentiles,
    pub(crate) paid: Percentiles,
    pub(crate) confirmed: Percentiles,
    /// Of a booking, in ms, by process.
    pub(crate) cpu_ms: BTreeMap<String, f64>,
    pub(crate) peak_mib: BTreeMap<String, u64>,
    pub(crate) bookings: usize,
    /// By all of these bookings.
    pub(crate) written: Written,
    /// How often each large table was read whole, if it was.
    pub(crate) scans: BTreeMap<String, i64>,
}

/// A path's answers in a second, and how long one took.
#[derive(Debug, Serialize)]
pub(crate) struct Reads {
    pub(crate) path: &'static str,
    pub(crate) bytes: usize,
    pub(crate) per_s: f64,
    pub(crate) bare_per_s: f64,
    pub(crate) took: Percentiles,
}

/// A load on large tables, and what it was on small ones.
#[derive(Debug, Serialize)]
pub(crate) struct Grown {
    pub(crate) bookings: usize,
    pub(crate) load: Load,
    /// Of the same load on small tables.
    pub(crate) rate_ratio: f64,
    pub(crate) cpu_ratio: f64,
}

impl Grown {
    pub(crate) fn of(bookings: usize, small: &Load, load: Load) -> Self {
        let cpu = |load: &Load| load.cpu_ms.values().sum::<f64>();
        let rate_ratio = load.confirmed_per_s / small.confirmed_per_s;
        Self { bookings, rate_ratio, cpu_ratio: cpu(&load) / cpu(small), load }
    }
}

/// Of times, in ms.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    /// From 0 to 100, to be drawn; none without any time.
    #[serde(skip)]
    pub(crate) all: Vec<f64>,
}

impl Percentiles {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let place = times.len().saturating_sub(1) * percent / 100;
            times.get(place).map(|time| time.as_secs_f64() * 1_000.0)
        };
        let [p50, p95, p99] = [50, 95, 99].map(|percent| at(percent).unwrap_or_default());
        Self { p50, p95, p99, all: (0..=100).filter_map(at).collect() }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", self.p50, self.p95, self.p99)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cores; other processes took {:.0} %", self.cores, 100.0 * self.disturbed)?;
        writeln!(f, "\nidle\n  create → awaiting payment  {}", self.idle.created)?;
        writeln!(f, "  pay → confirmed            {}", self.idle.confirmed)?;
        self.loads.iter().try_for_each(|load| write!(f, "{load}"))?;
        writeln!(f, "\nreads, of a bare route's")?;
        for Reads { path, bytes, per_s, bare_per_s, took } in &self.reads {
            let part = 100.0 * per_s / bare_per_s;
            writeln!(
                f,
                "  {path:<25}  {per_s:.0} of {bare_per_s:.0}/s, {part:.0} % ({bytes} bytes); {took}"
            )?;
        }
        if let Some(floor) = self.floor {
            let most = self.loads.iter().map(|load| load.confirmed_per_s).fold(0.0, f64::max);
            let part = 100.0 * most / floor;
            writeln!(
                f,
                "\nfloor, without HTTP and Kafka\n  {floor:.0} confirmed/s, of which the fleet reaches {part:.0} %"
            )?;
        }
        if let Some(grown) = &self.grown {
            write!(f, "{grown}")?;
        }
        if let Some(Stadium { reservations, per_s }) = &self.stadium {
            writeln!(
                f,
                "\nstadium\n  {reservations} waiting reservations of one event  {per_s:.0}/s"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}: {:.0} confirmed/s", self.name, self.confirmed_per_s)?;
        writeln!(f, "  create → awaiting payment  {}", self.created)?;
        writeln!(f, "  pay, as HTTP answers       {}", self.paid)?;
        writeln!(f, "  pay → confirmed            {}", self.confirmed)?;
        let total: f64 = self.cpu_ms.values().sum();
        let parts = self.cpu_ms.iter().map(|(name, ms)| format!("{name} {ms:.2}"));
        writeln!(
            f,
            "  CPU ms a booking           {total:.2}: {}",
            parts.collect::<Vec<_>>().join(", ")
        )?;
        let parts = self.peak_mib.iter().map(|(name, mib)| format!("{name} {mib}"));
        writeln!(f, "  most memory, MiB           {}", parts.collect::<Vec<_>>().join(", "))?;
        let each = |count: i64| count as f64 / self.bookings.max(1) as f64;
        let Written { wal_bytes, commits, inserts, updates, hot_updates, deletes, messages } =
            self.written;
        writeln!(
            f,
            "  a booking writes           {:.1} rows ({:.1} inserts, {:.1} updates, {:.1} deletes), {:.1} kB of WAL, \
             {:.2} commits, {:.1} messages; {:.0} % of the updates are HOT",
            each(inserts + updates + deletes),
            each(inserts),
            each(updates),
            each(deletes),
            each(wal_bytes) / 1_000.0,
            each(commits),
            each(messages),
            100.0 * hot_updates as f64 / updates.max(1) as f64,
        )?;
        let scans = self.scans.iter().map(|(table, count)| format!("{table} {count}"));
        let scans = Some(scans.collect::<Vec<_>>().join(", ")).filter(|scans| !scans.is_empty());
        writeln!(f, "  large tables read whole    {}", scans.as_deref().unwrap_or("none"))
    }
}

impl fmt::Display for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.load)?;
        writeln!(
            f,
            "  of the small tables'       {:.1} % of the rate, {:.1} % of the CPU ms a booking",
            100.0 * self.rate_ratio,
            100.0 * self.cpu_ratio
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let Percentiles { p50, p95, p99, all } = Percentiles::of(times);
        assert_eq!([p50, p95, p99], [50.0, 95.0, 99.0]);
        assert_eq!([all[0], all[50], all[99], all[100]], [1.0, 50.0, 99.0, 100.0]);
        assert_eq!(all.len(), 101);
    }

    #[test]
    fn no_times_have_no_curve() {
        assert_eq!(Percentiles::of(vec![]), Percentiles::default());
    }
}
