//! The load: people who come one after another, until it is time.

use futures_util::StreamExt;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    buyers, organisers,
    plan::{Act, Errand, Plan},
    world::World,
};

/// How many orders are under way at a time: more people wait outside.
const AT_ONCE: usize = 64;

/// Buyers come until this time; returns when all have left.
pub(crate) async fn sells(world: &World<'_>, plan: &Plan, until: Instant) {
    let come = futures_util::stream::iter(plan.errands());
    let come = come.then(async |errand: Errand| {
        sleep(errand.pause).await;
        errand
    });
    let come = come.take_until(sleep_until(until));
    // What breaks a rule is noted, and ends the run.
    come.for_each_concurrent(AT_ONCE, async |errand| drop(buyers::runs(world, &errand).await))
        .await;
}

/// Organisers act until this time.
pub(crate) async fn is_organised(world: &World<'_>, plan: &Plan, until: Instant) {
    let act = futures_util::stream::iter(plan.acts());
    let act = act.then(async |act: Act| {
        sleep(act.pause).await;
        act
    });
    let act = act.take_until(sleep_until(until));
    act.for_each_concurrent(4, async |act| drop(organisers::act(world, &act).await)).await;
}
