//! Waiting: by the machine's monotonic clock, or by the clock of a simulation that runs on this thread.

use std::{
    cell::Cell,
    future::poll_fn,
    sync::LazyLock,
    task::Poll,
    time::{Duration, Instant},
};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    static SIMULATED: Cell<Option<Simulated>> = const { Cell::new(None) };
}

/// The clock of a simulation, and when what waits by it goes on.
#[derive(Clone, Copy)]
struct Simulated {
    time: Duration,
    wake_at: Option<Duration>,
}

/// The time since a moment that is the same for as long as the process lives.
pub fn monotonic() -> Duration {
    SIMULATED.get().map_or_else(|| START.elapsed(), |clock| clock.time)
}

/// Waits for this long.
pub async fn wait(time: Duration) {
    if time.is_zero() {
        return;
    }
    if SIMULATED.get().is_none() {
        return tokio::time::sleep(time).await;
    }
    let until = monotonic() + time;
    poll_fn(|context| {
        if monotonic() >= until {
            return Poll::Ready(());
        }
        // A task that joins several futures may wait for several times.
        let earliest = |at: Option<Duration>| Some(at.map_or(until, |at| at.min(until)));
        let clock = SIMULATED.get();
        SIMULATED.set(clock.map(|it| Simulated { wake_at: earliest(it.wake_at), ..it }));
        // Where many are joined, only those that were woken are polled again.
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs `step`, which polls a task, while the clock shows `time`. Returns also when the task goes on if it
/// waits for a time; nothing wakes it then but another `step`.
pub fn simulated<T>(time: Duration, step: impl FnOnce() -> T) -> (T, Option<Duration>) {
    SIMULATED.set(Some(Simulated { time, wake_at: None }));
    let done = step();
    let wake_at = SIMULATED.take().and_then(|clock| clock.wake_at);
    (done, wake_at)
}
