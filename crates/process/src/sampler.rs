//! Log lines that would come in floods, at most one a second.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How far apart two lines are at least.
const PAUSE: Duration = Duration::from_secs(1);

/// Lets one line of a kind through a second, and counts the others.
#[derive(Debug)]
pub struct Sampler(Mutex<State>);

#[derive(Debug)]
struct State {
    last: Option<Instant>,
    suppressed: u64,
}

impl Sampler {
    /// No line yet: the first goes through.
    #[expect(clippy::new_without_default, reason = "a static needs a constant")]
    pub const fn new() -> Self {
        Self(Mutex::new(State { last: None, suppressed: 0 }))
    }

    /// For a line that is to be logged now: how many were suppressed since the last one. `None` for a
    /// line that is suppressed.
    pub fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, at: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| at < last + PAUSE) {
            state.suppressed += 1;
            return None;
        }
        state.last = Some(at);
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_goes_through_and_says_how_many_did_not() {
        let sampler = Sampler::new();
        let start = Instant::now();
        for (after_ms, passes) in [
            (0, Some(0)),
            (0, None),
            (999, None),
            (1_000, Some(2)),
            (1_500, None),
            (5_000, Some(1)),
            (9_000, Some(0)),
        ] {
            let at = start + Duration::from_millis(after_ms);
            assert_eq!(sampler.pass_at(at), passes, "after {after_ms} ms");
        }
    }
}
