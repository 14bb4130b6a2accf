//! Processes that die, stand still, or whose clocks are off.

use std::time::Duration;

use karcis_process::timer::monotonic;

use super::{
    faults::FaultKind,
    processes::{group_of, instance_name},
    world::State,
};

impl State {
    /// What happens to a process at this place, if anything.
    pub(crate) fn strike_process(&mut self, instance: usize, place: u64) {
        let now = monotonic();
        if self.faults.strikes(FaultKind::Crash, place) {
            let starts_at = now + Duration::from_millis(200 + self.faults.how_much(9_000));
            let process = &mut self.processes[instance];
            process.epoch += 1;
            process.faults += 1;
            process.starts_at = Some(starts_at);
            process.silent_since.get_or_insert(now);
            self.silenced.push(instance);
            self.progress.struck(group_of(instance));
            self.tell(|| format!("{} dies", instance_name(instance)));
        } else if self.faults.strikes(FaultKind::Freeze, place) {
            let time = Duration::from_millis(1_000 + self.faults.how_much(29_000));
            self.freeze(instance, time);
        } else if self.faults.strikes(FaultKind::Skew, place) {
            let skew_ms = self.faults.how_much(10_000) as i64 - 5_000;
            self.processes[instance].skew_ms = skew_ms;
            self.tell(|| {
                format!("the clock of {} is off by {skew_ms} ms", instance_name(instance))
            });
        }
    }

    /// Lets a process stand still.
    pub(crate) fn freeze(&mut self, instance: usize, time: Duration) {
        let now = monotonic();
        let process = &mut self.processes[instance];
        process.frozen_until = Some(now + time);
        process.faults += 1;
        process.silent_since.get_or_insert(now);
        self.silenced.push(instance);
        self.progress.struck(group_of(instance));
        let name = instance_name(instance);
        self.tell(|| format!("{name} stands still for {:.1} s", time.as_secs_f64()));
    }
}
