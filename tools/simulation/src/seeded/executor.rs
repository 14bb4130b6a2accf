//! Runs the tasks of a world one at a time, in the order of the times at which they go on, and lets processes
//! die, stand still and come back.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use karcis_process::timer::{simulated, wait};

use super::{
    processes::{RELAY_SESSION, SESSION, group_of},
    random::hash,
    world::{Running, Signal, Spawned, Task, World},
};

/// After so many polls a run is taken for one that never ends.
const MOST_POLLS: u64 = 5_000_000;

struct Slot {
    /// `None` once it is over.
    task: Option<Task>,
    owner: Option<usize>,
    running: Running,
    /// Only the wake-up of this number counts.
    wake: u64,
}

/// The tasks of a world, and when they go on.
pub(crate) struct Executor {
    world: Arc<World>,
    /// Starts the tasks of a process.
    start: fn(&Arc<World>, usize),
    slots: Vec<Slot>,
    queue: BinaryHeap<Reverse<(Duration, u64, usize, u64)>>,
    pushed: u64,
    time: Duration,
}

impl Executor {
    /// `start` starts the tasks of a process, also after it died.
    pub(crate) fn new(world: Arc<World>, start: fn(&Arc<World>, usize)) -> Self {
        Self {
            world,
            start,
            slots: vec![],
            queue: BinaryHeap::new(),
            pushed: 0,
            time: Duration::ZERO,
        }
    }

    /// Runs until `ends` says so, which is asked at least once each `interval`, or until a rule is broken.
    pub(crate) fn run(
        &mut self,
        interval: Duration,
        mut ends: impl FnMut(&World, Duration) -> bool,
    ) {
        let mut asked = self.time;
        for _ in 0..MOST_POLLS {
            self.take_in();
            let Some(Reverse((time, _, id, wake))) = self.queue.pop() else {
                return;
            };
            self.time = time;
            self.poll(id, wake);
            if self.world.lock().violation.is_some() {
                return;
            }
            if self.time >= asked + interval {
                asked = self.time;
                if self.now(|| ends(&self.world, self.time)) {
                    return;
                }
            }
        }
    }

    /// The time now.
    pub(crate) fn time(&self) -> Duration {
        self.time
    }

    /// Does `work` at the time that it is now.
    pub(crate) fn now<T>(&self, work: impl FnOnce() -> T) -> T {
        simulated(self.time, work).0
    }

    fn poll(&mut self, id: usize, wake: u64) {
        let slot = &mut self.slots[id];
        if slot.wake != wake || slot.task.is_none() {
            return;
        }
        let thaws = {
            let mut state = self.world.lock();
            let frozen = slot.owner.and_then(|owner| state.processes[owner].frozen_until);
            if frozen.is_none() {
                state.running = Running { task: id, ..slot.running };
                state.trace = hash(&[state.trace, slot.running.name, self.time.as_micros() as u64]);
            }
            frozen
        };
        if let Some(thaws) = thaws {
            return self.push(thaws.max(self.time), id);
        }
        let mut context = Context::from_waker(Waker::noop());
        let Some(task) = &mut slot.task else { return };
        let (polled, wake_at) = simulated(self.time, || task.as_mut().poll(&mut context));
        slot.running = self.world.lock().running;
        if polled.is_ready() {
            slot.task = None;
        } else if let Some(wake_at) = wake_at {
            self.push(wake_at, id);
        }
    }

    fn add(&mut self, Spawned { name, owner, task }: Spawned) {
        let running = Running { name, ..Running::default() };
        self.slots.push(Slot { task: Some(task), owner, running, wake: 0 });
        self.push(self.time, self.slots.len() - 1);
    }

    fn push(&mut self, time: Duration, id: usize) {
        self.pushed += 1;
        self.slots[id].wake = self.pushed;
        self.queue.push(Reverse((time, self.pushed, id, self.pushed)));
    }

    /// Takes in what the last poll has started, woken and silenced.
    fn take_in(&mut self) {
        let (spawned, woken, silenced) = {
            let mut state = self.world.lock();
            let woken = std::mem::take(&mut state.woken);
            (std::mem::take(&mut state.spawned), woken, std::mem::take(&mut state.silenced))
        };
        for instance in silenced {
            self.silence(instance);
        }
        for spawned in spawned {
            self.add(spawned);
        }
        for id in woken {
            if self.slots[id].task.is_some() {
                self.push(self.time + Duration::from_micros(50), id);
            }
        }
    }

    /// A process has died or stands still: it comes back, and others take its work over meanwhile.
    fn silence(&mut self, instance: usize) {
        let (is_dead, comes_back) = {
            let state = self.world.lock();
            let process = &state.processes[instance];
            (process.starts_at.is_some(), process.starts_at.or(process.frozen_until))
        };
        if is_dead {
            for slot in self.slots.iter_mut().filter(|slot| slot.owner == Some(instance)) {
                slot.task = None;
            }
        }
        let after = comes_back.unwrap_or_default().saturating_sub(self.time);
        let (world, start) = (self.world.clone(), self.start);
        let returning = Box::pin(async move {
            wait(after).await;
            come_back(&world, instance, start);
        });
        let world = self.world.clone();
        let taking_over = Box::pin(async move {
            // The lock of a dead relay is free at once.
            world.lock().notify(Signal::Outbox(group_of(instance)));
            wait(SESSION).await;
            world.lock().notify(Signal::Group(group_of(instance)));
            wait(RELAY_SESSION.saturating_sub(SESSION)).await;
            world.lock().notify(Signal::Outbox(group_of(instance)));
        });
        let name = hash(&[11, instance as u64, self.time.as_micros() as u64]);
        self.add(Spawned { name, owner: None, task: returning });
        self.add(Spawned { name: hash(&[name]), owner: None, task: taking_over });
    }
}

fn come_back(world: &Arc<World>, instance: usize, start: fn(&Arc<World>, usize)) {
    let was_dead = {
        let mut state = world.lock();
        let process = &mut state.processes[instance];
        (process.frozen_until, process.silent_since) = (None, None);
        let was_dead = process.starts_at.take().is_some();
        state.tell(|| {
            let what = if was_dead { "starts again" } else { "goes on" };
            format!("{} {what}", super::processes::instance_name(instance))
        });
        let group = group_of(instance);
        if state.running(group) == 1 {
            state.progress.struck(group);
        }
        state.notify(Signal::Group(group));
        state.notify(Signal::Outbox(group));
        was_dead
    };
    if was_dead {
        start(world, instance);
    }
}
