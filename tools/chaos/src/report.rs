//! What a run of chaos has to say.

use std::{collections::BTreeMap, fmt, time::Duration};

use karcis_fleet::Violation;
use serde::Serialize;

/// Within so long after a fault the next booking should have got through.
const IN_TIME: Duration = Duration::from_secs(30);

/// The outcome of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    /// How long faults struck, in seconds.
    pub seconds: u64,
    /// How often each kind of fault struck.
    pub faults: BTreeMap<String, u64>,
    /// On how many connections an answer was swallowed.
    pub silenced_connections: usize,
    /// How many bookings ended how.
    pub bookings: BTreeMap<String, u64>,
    /// What the fleet had to mend, and how often.
    pub repairs: BTreeMap<String, u64>,
    /// How often clients had to ask again, by why.
    pub retries: BTreeMap<String, u64>,
    pub recovery: Recovery,
    /// The rule that was broken first; `None`: all hold.
    pub broken: Option<Broken>,
}

/// How long after a fault the next order that was made could be paid, or was confirmed, less the time in which
/// other faults stopped all.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// Faults after which a booking got through.
    pub measured: usize,
    pub median_s: f64,
    pub p95_s: f64,
    pub longest_s: f64,
    /// The faults after which it took more than 30 s, with their seconds.
    pub over_30_s: Vec<(String, f64)>,
    /// Faults so near to the end that nobody ordered after them.
    pub unmeasured: usize,
}

/// A broken rule.
#[derive(Debug, Serialize)]
pub struct Broken {
    /// Its number in docs/proof.md.
    pub rule: u8,
    pub what: String,
    pub booking: Option<String>,
    /// What all services have of the booking.
    pub story: Vec<String>,
}

impl Broken {
    pub(crate) fn new(violation: Violation, story: Vec<String>) -> Self {
        let booking = violation.booking.map(|booking| booking.to_string());
        Self { rule: violation.rule, what: violation.what, booking, story }
    }
}

impl Recovery {
    pub(crate) fn of(recoveries: Vec<(String, Option<Duration>)>) -> Self {
        let all = recoveries.len();
        let took = recoveries.into_iter().filter_map(|(what, took)| Some((took?, what)));
        let mut took: Vec<(Duration, String)> = took.collect();
        took.sort();
        let at = |part: f64| {
            let place = (part * took.len().saturating_sub(1) as f64).round() as usize;
            took.get(place).map_or(0.0, |(time, _)| time.as_secs_f64())
        };
        let late = took.iter().filter(|(time, _)| *time > IN_TIME);
        let late = late.map(|(time, what)| (what.clone(), time.as_secs_f64())).collect();
        Self {
            measured: took.len(),
            median_s: at(0.5),
            p95_s: at(0.95),
            longest_s: at(1.0),
            over_30_s: late,
            unmeasured: all - took.len(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        writeln!(
            f,
            "seed {}: {} faults in {} s, {} bookings",
            self.seed,
            sum(&self.faults),
            self.seconds,
            sum(&self.bookings)
        )?;
        let parts = [
            ("faults", &self.faults),
            ("how the bookings ended", &self.bookings),
            ("repairs", &self.repairs),
            ("requests that clients had to send again", &self.retries),
        ];
        for (title, counts) in parts {
            writeln!(f, "\n{title}:")?;
            for (what, count) in counts {
                writeln!(f, "{count:>8}  {what}")?;
            }
        }
        writeln!(f, "\n{} connections went silent", self.silenced_connections)?;
        let Recovery { measured, median_s, p95_s, longest_s, over_30_s, unmeasured } =
            &self.recovery;
        writeln!(
            f,
            "after {measured} faults the next booking got through in {median_s:.1} s (median), {p95_s:.1} s \
             (95 %), {longest_s:.1} s at most, less the time in which other faults stopped all"
        )?;
        for (what, seconds) in over_30_s {
            writeln!(f, "{seconds:>8.1} s  {what}")?;
        }
        writeln!(f, "{unmeasured} faults were so near to the end that nobody ordered after them")?;
        let Some(broken) = &self.broken else { return writeln!(f, "\nevery rule holds") };
        writeln!(f, "\nrule {} is broken: {}", broken.rule, broken.what)?;
        if let Some(booking) = &broken.booking {
            writeln!(f, "\nbooking {booking}:")?;
        }
        broken.story.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recoveries_are_summed_up() {
        let after = |what: &str, seconds| (what.to_owned(), Some(Duration::from_secs(seconds)));
        let late = ("at the end".to_owned(), None);
        let recovery = Recovery::of(vec![after("a", 1), after("b", 31), late, after("c", 2)]);
        let expected = Recovery {
            measured: 3,
            median_s: 2.0,
            p95_s: 31.0,
            longest_s: 31.0,
            over_30_s: vec![("b".to_owned(), 31.0)],
            unmeasured: 1,
        };
        assert_eq!(recovery, expected);
    }
}
