//! A request: it runs in one process, and its answer comes, or the connection breaks.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use karcis_process::timer::{monotonic, wait};

use crate::seeded::{
    broker::Group, faults::FaultKind, ports::Ports, processes::INSTANCES, random::hash,
    world::World,
};

/// How long a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a request does in its process.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Sends a request to an instance of the service; `None`: there was no answer, and what it has done is unknown.
/// `client` names who asks.
pub(super) async fn request<T>(
    world: &Arc<World>,
    group: Group,
    client: u64,
    work: impl FnOnce(Ports) -> Work<T>,
) -> Option<T> {
    world.step(None, 0).await;
    let (instance, epoch, deadline) = {
        let mut state = world.lock();
        let drawn = hash(&[state.seed, 47, client, state.running.steps]);
        let instance = group as usize * INSTANCES + drawn as usize % INSTANCES;
        let is_gone = state.faults.strikes(FaultKind::ClientGone, client);
        let short = Duration::from_millis(state.faults.how_much(50));
        let epoch = state.processes[instance].epoch;
        (instance, epoch, monotonic() + if is_gone { short } else { TIMEOUT })
    };
    let mut work = work(Ports::new(world.clone(), instance));
    let answer = poll_fn(|context| {
        let (is_dead, frozen_until) = {
            let process = &world.lock().processes[instance];
            (process.epoch != epoch || process.starts_at.is_some(), process.frozen_until)
        };
        if is_dead || monotonic() >= deadline {
            return Poll::Ready(None);
        }
        if let Some(until) = frozen_until {
            let thaw =
                until.min(deadline).saturating_sub(monotonic()).max(Duration::from_millis(1));
            return pin!(wait(thaw)).poll(context).map(|()| None);
        }
        work.as_mut().poll(context).map(Some)
    })
    .await;
    drop(work);
    answer
}
