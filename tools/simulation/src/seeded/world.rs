//! Everything that a run consists of, behind one lock; and the steps in which time goes on.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{TimeDelta, TimeZone as _, Utc};
use karcis_database::{RequestKey, StoreError};
use karcis_kernel::{BookingId, EventId, Timestamp};
use karcis_process::timer::{monotonic, wait};
use uuid::Uuid;

use super::{
    answers::Answers,
    broker::{Broker, Group},
    checks::{Checks, Violation},
    faults::{FaultKind, Faults},
    messages::Message,
    obstacles::Obstacles,
    processes::{Ground, INSTANCES, Process, instance_name},
    progress::Progress,
    random::hash,
    rows::Tables,
    told::Told,
};

/// A task, which its owner's death ends.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What tasks wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Signal {
    /// The group has something to read, or is shared in another way.
    Group(Group),
    /// The service's outbox has a message, or nobody sends it.
    Outbox(Group),
    /// Something of the service waits for a worker.
    Work(Group),
}

/// Messages that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) rows: VecDeque<(u64, Message)>,
    next: u64,
    /// The instance that sends, and its epoch.
    pub(crate) owner: Option<(usize, u64)>,
}

/// A task that is to be started, with its name and its owner.
pub(crate) struct Spawned {
    pub(crate) name: u64,
    pub(crate) owner: Option<usize>,
    pub(crate) task: Task,
}

/// What a run has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Effects: statements, commits, sendings, calls of the provider.
    pub steps: u64,
}

pub(crate) struct State {
    pub(crate) seed: u64,
    schedule: u64,
    pub(crate) faults: Faults,
    pub(crate) tables: Tables,
    pub(crate) broker: Broker,
    pub(crate) outboxes: BTreeMap<Group, Outbox>,
    pub(crate) processes: Vec<Process>,
    pub(crate) checks: Checks,
    pub(crate) told: Told,
    pub(crate) answers: Answers,
    pub(crate) progress: Progress,
    pub(crate) obstacles: Obstacles,
    pub(crate) violation: Option<Violation>,
    pub(crate) counts: Counts,
    /// How many acts of operators of each kind were done.
    pub(crate) acts: BTreeMap<&'static str, u64>,
    /// A hash of everything that has happened, in its order.
    pub(crate) trace: u64,
    /// What has happened, if anybody wants to read it.
    story: Option<Vec<String>>,
    names: BTreeMap<Uuid, String>,
    /// Until when these do not answer.
    pub(crate) down_until: BTreeMap<Ground, Duration>,
    pub(crate) waiting: BTreeMap<Signal, Vec<usize>>,
    pub(crate) woken: Vec<usize>,
    pub(crate) spawned: Vec<Spawned>,
    /// How many people still do something.
    pub(crate) busy: usize,
    /// Processes that died or stand still since the executor looked.
    pub(crate) silenced: Vec<usize>,
    pub(crate) running: Running,
}

/// The task that is running.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Running {
    pub(crate) task: usize,
    pub(crate) name: u64,
    /// How many steps it has made.
    pub(crate) steps: u64,
    /// How many ids it has drawn.
    pub(crate) draws: u64,
}

/// A run's state, shared by all its tasks.
pub(crate) struct World {
    state: Mutex<State>,
    /// Whether steps take time.
    is_timed: bool,
}

impl World {
    /// A world in which time goes on by steps, whose lengths `seed` and `schedule` draw. `tells`: its story is
    /// kept.
    pub(crate) fn new(seed: u64, schedule: u64, faults: Faults, tells: bool) -> Arc<Self> {
        let state = State { schedule, ..State::new(seed, faults, tells) };
        Arc::new(Self { state: Mutex::new(state), is_timed: true })
    }

    /// A world in which nothing goes wrong and nothing takes time: stores for tests.
    pub(crate) fn still() -> Arc<Self> {
        let mut faults = Faults::of_seed(0, None);
        faults.end();
        Arc::new(Self { state: Mutex::new(State::new(0, faults, false)), is_timed: false })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time goes on between two effects of `instance`, and there its process may die, at this place.
    pub(crate) async fn step(&self, instance: Option<usize>, place: u64) {
        if self.is_timed {
            let latency = self.lock().begin_step(instance, place);
            wait(latency).await;
        }
    }

    /// Starts what a person does.
    pub(crate) fn spawn_person(self: &Arc<Self>, name: u64, task: Task) {
        let world = self.clone();
        let counted = Box::pin(async move {
            task.await;
            world.lock().busy -= 1;
        });
        let state = &mut *self.lock();
        state.busy += 1;
        state.spawn(name, None, counted);
    }

    /// Waits until the signal comes, or until this time is over. A task that asks again after something
    /// else than time woke it has to look for itself what there is.
    pub(crate) async fn wait_for(&self, signal: Signal, time: Duration) {
        {
            let mut state = self.lock();
            let task = state.running.task;
            state.waiting.entry(signal).or_default().push(task);
        }
        let mut is_first = true;
        let until = monotonic() + time;
        std::future::poll_fn(|context| {
            if !is_first || monotonic() >= until {
                return std::task::Poll::Ready(());
            }
            is_first = false;
            let waiting = std::pin::pin!(wait(time));
            waiting.poll(context)
        })
        .await;
    }
}

impl State {
    fn new(seed: u64, faults: Faults, tells: bool) -> Self {
        Self {
            seed,
            schedule: 0,
            faults,
            tables: Tables::default(),
            broker: Broker::default(),
            outboxes: Group::ALL.into_iter().map(|group| (group, Outbox::default())).collect(),
            processes: vec![Process::default(); Group::ALL.len() * INSTANCES],
            checks: Checks::default(),
            told: Told::default(),
            answers: Answers::default(),
            progress: Progress::default(),
            obstacles: Obstacles::default(),
            violation: None,
            counts: Counts::default(),
            acts: BTreeMap::new(),
            trace: 0,
            story: tells.then(Vec::new),
            names: BTreeMap::new(),
            down_until: BTreeMap::new(),
            waiting: BTreeMap::new(),
            woken: Vec::new(),
            spawned: Vec::new(),
            busy: 0,
            silenced: Vec::new(),
            running: Running::default(),
        }
    }

    /// How long the step takes: mostly a millisecond, at times far longer.
    fn begin_step(&mut self, instance: Option<usize>, place: u64) -> Duration {
        self.counts.steps += 1;
        if let Some(instance) = instance {
            self.strike_process(instance, place);
        }
        let running = &mut self.running;
        running.steps += 1;
        let drawn = hash(&[self.seed, 2, self.schedule, running.name, running.steps]);
        let most_us = match drawn % 1_000 {
            0 => 3_000_000,
            1..=9 => 300_000,
            10..=59 => 20_000,
            _ => 1_500,
        };
        Duration::from_micros(50 + (drawn >> 10) % most_us)
    }

    /// The time that `instance` works by; the right time for everybody else.
    pub(crate) fn now(&self, instance: Option<usize>) -> Timestamp {
        let skew_ms = instance.map_or(0, |instance| self.processes[instance].skew_ms);
        start() + monotonic() + TimeDelta::milliseconds(skew_ms)
    }

    /// Why the group's store does not do what `instance` asks, if so.
    pub(crate) fn store_fault(
        &mut self,
        group: Group,
        instance: usize,
        place: u64,
        writes: bool,
    ) -> Option<StoreError> {
        if self.is_down(Ground::StoreOf(group), FaultKind::StoreDown, place) {
            return Some(StoreError::unavailable("the store is down"));
        }
        if self.faults.strikes(FaultKind::StoreFails, place) {
            self.progress.store_failed(group);
            self.tell(|| format!("the store fails {}", instance_name(instance)));
            return Some(StoreError::unavailable("the store fails"));
        }
        if writes && self.faults.strikes(FaultKind::Contended, place) {
            self.tell(|| {
                format!("another transaction is in the way of {}", instance_name(instance))
            });
            return Some(StoreError::contended("another transaction is in the way"));
        }
        None
    }

    /// Whether the broker answers nobody now.
    pub(crate) fn is_broker_down(&mut self) -> bool {
        self.is_down(Ground::Broker, FaultKind::BrokerDown, 0)
    }

    /// Whether this does not answer; a fault of this kind at this place may begin that.
    pub(crate) fn is_down(&mut self, what: Ground, kind: FaultKind, place: u64) -> bool {
        let now = monotonic();
        if self.faults.strikes(kind, place) {
            let time = Duration::from_millis(500 + self.faults.how_much(19_500));
            self.down_until.insert(what, now + time);
            self.tell(|| {
                format!("{} does not answer for {:.1} s", what.name(), time.as_secs_f64())
            });
        }
        let is_down = self.down_until.get(&what).is_some_and(|until| *until > now);
        is_down && !self.faults.are_over()
    }

    /// Adds messages to the service's outbox.
    pub(crate) fn send(&mut self, group: Group, messages: impl IntoIterator<Item = Message>) {
        let outbox = self.outboxes.entry(group).or_default();
        for message in messages {
            outbox.rows.push_back((outbox.next, message));
            outbox.next += 1;
        }
        self.notify(Signal::Outbox(group));
    }

    /// Wakes those that wait for this.
    pub(crate) fn notify(&mut self, signal: Signal) {
        let waiting = self.waiting.get_mut(&signal).map(std::mem::take);
        self.woken.extend(waiting.into_iter().flatten());
    }

    /// Starts a task.
    pub(crate) fn spawn(&mut self, name: u64, owner: Option<usize>, task: Task) {
        self.spawned.push(Spawned { name, owner, task });
    }

    /// Looks at these bookings and at this event after a commit.
    pub(crate) fn check(&mut self, bookings: &[BookingId], event: Option<EventId>) {
        let (checks, tables) = (&mut self.checks, &self.tables);
        let mut checked = bookings.iter().try_for_each(|id| checks.booking(tables, *id));
        if let (Ok(()), Some(event)) = (&checked, event) {
            checked = checks.stock(tables, event);
        }
        let about = bookings.first().copied();
        if let Err(violation) = checked {
            let about = about.map(|id| self.name(id.0)).unwrap_or_default();
            self.violate(violation.rule, || format!("{}: {about}", violation.what));
        }
    }

    /// Requires of a reply about a booking what its [`Answers`] say.
    pub(crate) fn check_answer(&mut self, id: BookingId, checked: Result<(), Violation>) {
        if let Err(violation) = checked {
            let name = self.name(id.0);
            self.violate(violation.rule, || format!("{name}: {}", violation.what));
        }
    }

    /// A request was answered: the booking is accepted.
    pub(crate) fn accept(&mut self, key: Option<RequestKey>, id: BookingId) {
        let accepted = self.checks.accept(key, id);
        self.hold(accepted);
    }

    /// Records a rule that was found not to hold.
    pub(crate) fn hold(&mut self, checked: Result<(), Violation>) {
        if let Err(violation) = checked {
            self.violate(violation.rule, || violation.what);
        }
    }

    /// Records that a rule does not hold, unless one was broken before.
    pub(crate) fn violate(&mut self, rule: u8, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            let what = what();
            self.tell(|| format!("RULE {rule} IS BROKEN: {what}"));
            self.violation = Some(Violation { rule, what });
        }
    }

    /// An id that no other has.
    pub(crate) fn draw_id(&mut self) -> Uuid {
        self.running.draws += 1;
        let high = hash(&[self.seed, 3, self.running.name, self.running.draws]);
        Uuid::from_u128(u128::from(high) << 64 | u128::from(hash(&[high])))
    }

    pub(crate) fn set_name(&mut self, id: Uuid, name: String) {
        self.names.insert(id, name);
    }

    pub(crate) fn name(&self, id: Uuid) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// Adds a line to the story.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{:>9.3} s  {}", monotonic().as_secs_f64(), line()));
        }
    }

    pub(crate) fn take_story(&mut self) -> Vec<String> {
        self.story.take().unwrap_or_default()
    }
}

/// When every run begins.
pub(crate) fn start() -> Timestamp {
    Utc.with_ymd_and_hms(2030, 1, 1, 12, 0, 0).single().unwrap_or_default()
}
