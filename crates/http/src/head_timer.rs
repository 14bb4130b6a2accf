//! How long a connection waits for a request: long while it is idle, shortly once its head has begun.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};

/// A request's head must arrive within this, from its first byte, and the first one from the
/// connection's begin.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that is idle between two requests is closed after this. Clients close theirs sooner
/// (90 s is usual), so no request meets a connection that is being closed.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(100);

/// hyper's timer of one connection. hyper has one time limit for both, which it starts when it begins
/// to wait for a request, [`IDLE_TIMEOUT`]; this shortens it once a byte has come. A head that began in
/// the same packet as the end of the request before is only noticed with its next packet.
#[derive(Clone, Default)]
pub(crate) struct HeadTimer(Arc<State>);

#[derive(Default)]
struct State {
    has_begun: AtomicBool,
    was_idle: AtomicBool,
}

impl HeadTimer {
    /// To be called when bytes have come from the client.
    pub(crate) fn received(&self) {
        self.0.has_begun.store(true, Relaxed);
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, idle_until: Instant) -> Pin<Box<dyn Sleep>> {
        // A new connection is made to send a request.
        let is_first = !self.0.was_idle.swap(true, Relaxed);
        self.0.has_begun.store(is_first, Relaxed);
        let sleep = Box::pin(tokio::time::sleep_until(idle_until.into()));
        Box::pin(HeadSleep { timer: self.clone(), is_short: false, sleep })
    }
}

struct HeadSleep {
    timer: HeadTimer,
    is_short: bool,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_short && self.timer.0.has_begun.load(Relaxed) {
            self.is_short = true;
            let head_until = tokio::time::Instant::now() + HEAD_TIMEOUT;
            let until = self.sleep.deadline().min(head_until);
            self.sleep.as_mut().reset(until);
        }
        self.sleep.as_mut().poll(context)
    }
}

impl Sleep for HeadSleep {}
