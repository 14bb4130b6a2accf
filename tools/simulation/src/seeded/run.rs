//! One run of a plan: services and people under faults, then without, until nothing is under way.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    broker::Group,
    checks::Violation,
    executor::Executor,
    faults::{Fault, FaultKind, Faults},
    people::{add_accounts, add_events, be_on_duty, buy, edit, operate},
    plan::{BuyerPlan, Plan},
    processes::INSTANCES,
    random::hash,
    rest::{check_at_rest, unrest},
    services,
    world::{State, World},
};

/// Faults end when everybody has done what they wanted, and then at the latest.
const FAULTS: Duration = Duration::from_secs(18 * 60);
/// Without faults everything has to end within this time.
const DRAIN: Duration = Duration::from_secs(4 * 60 * 60);
/// Longer than a buyer needs, and than a call of the provider can be under way.
const LATE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(5);

/// What became of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    pub violation: Option<Violation>,
    /// How many bookings there were.
    pub sagas: u64,
    /// How many effects.
    pub steps: u64,
    /// How many e-mails buyers got.
    pub mails: u64,
    /// How they ended.
    pub ends: BTreeMap<&'static str, u64>,
    /// What operators did, and how often.
    pub acts: BTreeMap<&'static str, u64>,
    pub faults: Vec<Fault>,
    /// A hash of everything that happened, in its order.
    pub trace: u64,
    /// What happened, line by line, if it was asked for.
    pub story: Vec<String>,
}

impl Outcome {
    /// How many faults of each kind there were.
    pub fn faults_by_kind(&self) -> BTreeMap<FaultKind, u64> {
        let mut counts = BTreeMap::new();
        for fault in &self.faults {
            *counts.entry(fault.kind).or_default() += 1;
        }
        counts
    }
}

/// Runs the plan. `tells`: with its story.
pub fn run(plan: &Plan, tells: bool) -> Outcome {
    let faults = Faults::of_seed(plan.seed, plan.only.clone());
    let world = World::new(plan.seed, plan.schedule, faults, tells);
    let mut executor = Executor::new(world.clone(), services::start);
    executor.now(|| prepare(&world, plan));
    start_people(&world, plan);
    let look = |world: &World| {
        let mut state = world.lock();
        state.check_progress();
        state.busy == 0
    };
    executor.run(LOOK, |world, time| look(world) || time >= FAULTS);
    if world.lock().violation.is_none() {
        executor.now(|| end_faults(&world));
        world.lock().spawn(hash(&[149]), None, Box::pin(be_on_duty(world.clone())));
        let until = executor.time() + DRAIN;
        let rests = |world: &World| look(world) && unrest(&world.lock()).is_none();
        executor.run(LOOK, |world, time| rests(world) || time >= until);
        // New bookings flow, and what is still on its way to the provider arrives.
        let accepted = world.lock().checks.accepted().count();
        let accepted = accepted + start_late_buyers(&world, plan);
        let late = executor.time() + LATE;
        executor.run(LOOK, |world, time| rests(world) && time >= late || time >= until + LATE);
        executor.now(|| end(&mut world.lock(), accepted));
    }
    outcome(&world)
}

fn prepare(world: &Arc<World>, plan: &Plan) {
    add_events(world, plan);
    add_accounts(world, plan);
    for instance in 0..Group::ALL.len() * INSTANCES {
        services::start(world, instance);
    }
}

/// Lets everybody do what they want.
fn start_people(world: &Arc<World>, plan: &Plan) {
    for buyer in &plan.buyers {
        let types = plan.events.get(buyer.event).map(|event| event.types.as_slice());
        let prices = buyer.items.iter().map(|(kind, quantity)| {
            types.and_then(|types| types.get(*kind)).map_or(0, |it| it.0) * i64::from(*quantity)
        });
        let buying = buy(world.clone(), buyer.clone(), prices.sum());
        world.spawn_person(hash(&[79, buyer.number]), Box::pin(buying));
    }
    for plan in &plan.edits {
        let editing = edit(world.clone(), plan.clone());
        world.spawn_person(hash(&[83, plan.number]), Box::pin(editing));
    }
    for plan in &plan.operators {
        let operating = operate(world.clone(), plan.clone());
        world.spawn_person(hash(&[151, plan.number]), Box::pin(operating));
    }
}

/// One more buyer for each event; returns how many.
fn start_late_buyers(world: &Arc<World>, plan: &Plan) -> usize {
    for event in 0..plan.events.len() {
        let buyer = BuyerPlan::late(event);
        let name = hash(&[89, buyer.number]);
        world.spawn_person(name, Box::pin(buy(world.clone(), buyer, 0)));
    }
    plan.events.len()
}

fn end_faults(world: &World) {
    let state = &mut *world.lock();
    state.faults.end();
    state.tell(|| "from here on nothing goes wrong".to_owned());
}

fn end(state: &mut State, accepted: usize) {
    let now = state.checks.accepted().count();
    if now < accepted {
        return state.violate(11, || format!("{} new bookings are not accepted", accepted - now));
    }
    if let Some(why) = unrest(state) {
        return state.violate(8, || format!("{why} for hours without a fault"));
    }
    if let Err(violation) = check_at_rest(state) {
        state.violate(violation.rule, || violation.what);
    }
}

fn outcome(world: &World) -> Outcome {
    let state = &mut *world.lock();
    // They hold the world, which holds them.
    state.spawned.clear();
    let mut ends: BTreeMap<&'static str, u64> = BTreeMap::new();
    for booking in state.tables.bookings.all() {
        let stage = &booking.stage;
        let end = stage.cause().map_or(stage.name(), |cause| cause.as_str());
        *ends.entry(end).or_default() += 1;
    }
    Outcome {
        violation: state.violation.clone(),
        sagas: state.tables.bookings.all().count() as u64,
        steps: state.counts.steps,
        mails: state.told.mails,
        ends,
        acts: std::mem::take(&mut state.acts),
        faults: state.faults.struck().to_vec(),
        trace: state.trace,
        story: state.take_story(),
    }
}
