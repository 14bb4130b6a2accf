//! Whether the work that no request waits for goes on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// When each loop of a process has to show its next sign of life. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<BTreeMap<&'static str, Instant>>>);

impl Progress {
    /// `task` is alive, and says so again within `limit`.
    pub fn goes_on(&self, task: &'static str, limit: Duration) {
        self.deadlines().insert(task, Instant::now() + limit);
    }

    /// `task` waits for work, for as long as there is none.
    pub fn rests(&self, task: &'static str) {
        self.deadlines().remove(task);
    }

    /// The tasks that should have shown a sign of life by now, in the order of their names.
    pub fn overdue(&self) -> Vec<&'static str> {
        let now = Instant::now();
        let deadlines = self.deadlines();
        deadlines.iter().filter(|(_, deadline)| **deadline < now).map(|(task, _)| *task).collect()
    }

    fn deadlines(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_overdue_until_it_goes_on_or_rests() {
        let progress = Progress::default();
        progress.goes_on("consumer", Duration::ZERO);
        progress.goes_on("relay", Duration::from_secs(3_600));
        progress.goes_on("timers", Duration::ZERO);
        std::thread::yield_now();
        assert_eq!(progress.overdue(), ["consumer", "timers"]);
        progress.rests("consumer");
        progress.goes_on("timers", Duration::from_secs(3_600));
        assert!(progress.overdue().is_empty());
    }
}
