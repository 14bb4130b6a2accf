//! Runs many seeds, on all cores, until one breaks a rule.

use std::{
    collections::BTreeMap,
    ops::AddAssign,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    faults::FaultKind,
    plan::Plan,
    run::{Outcome, run},
};

/// Which seeds are run.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed; the others follow it.
    pub first: u64,
    /// How many, if that is known.
    pub seeds: Option<u64>,
    /// No seed begins after this time, if there is one.
    pub time: Option<Duration>,
    /// How many run at once.
    pub threads: usize,
}

/// What the seeds so far have seen.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub seeds: u64,
    pub sagas: u64,
    /// Effects: statements, commits, sendings, calls of the provider.
    pub steps: u64,
    /// E-mails that buyers got.
    pub mails: u64,
    /// How the bookings ended.
    pub ends: BTreeMap<&'static str, u64>,
    /// What operators did, and how often.
    pub acts: BTreeMap<&'static str, u64>,
    pub faults: BTreeMap<FaultKind, u64>,
    /// The lowest seed that broke a rule.
    pub failed: Option<u64>,
}

impl AddAssign<&Outcome> for Summary {
    fn add_assign(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.sagas += outcome.sagas;
        self.steps += outcome.steps;
        self.mails += outcome.mails;
        for (end, count) in &outcome.ends {
            *self.ends.entry(end).or_default() += count;
        }
        for (act, count) in &outcome.acts {
            *self.acts.entry(act).or_default() += count;
        }
        for (kind, count) in outcome.faults_by_kind() {
            *self.faults.entry(kind).or_default() += count;
        }
    }
}

impl Summary {
    /// How many faults struck.
    pub fn fault_count(&self) -> u64 {
        self.faults.values().sum()
    }
}

impl Campaign {
    /// Runs the seeds; begins no other after one that breaks a rule. `progress` is called after each.
    pub fn run(self, mut progress: impl FnMut(&Summary)) -> Summary {
        let (next, stop) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let began = Instant::now();
        let (send, outcomes) = mpsc::channel();
        let mut summary = Summary::default();
        thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                let (send, next, stop) = (send.clone(), &next, &stop);
                scope.spawn(move || {
                    while let Some(seed) = self.take(next, stop, began) {
                        let outcome = run(&Plan::of_seed(seed), false);
                        if outcome.violation.is_some() {
                            stop.fetch_min(seed, Relaxed);
                        }
                        if send.send((seed, outcome)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            for (seed, outcome) in outcomes {
                summary += &outcome;
                if outcome.violation.is_some() {
                    summary.failed = Some(summary.failed.map_or(seed, |failed| failed.min(seed)));
                }
                progress(&summary);
            }
        });
        summary
    }

    /// The next seed, if there is one.
    fn take(self, next: &AtomicU64, stop: &AtomicU64, began: Instant) -> Option<u64> {
        let nth = next.fetch_add(1, Relaxed);
        let seed = self.first.checked_add(nth)?;
        let is_in = self.seeds.is_none_or(|seeds| nth < seeds);
        let has_time = self.time.is_none_or(|time| began.elapsed() < time);
        (is_in && has_time && seed < stop.load(Relaxed)).then_some(seed)
    }
}
