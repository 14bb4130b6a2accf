//! How fast Stripe is asked what nobody waits for, so that it has time for those who pay.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Mutex as Queue,
    time::{Instant, sleep_until},
};

/// A fifth of the 100 calls a second that Stripe takes of a live account.
const SPACING: Duration = Duration::from_millis(50);
/// For how long calls pause after a 429 that does not say it, and for how long at most.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Calls of an instance, one after the other.
pub(super) struct Pace {
    /// When the next may be made.
    next: Queue<Instant>,
    paused_until: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { next: Queue::new(now), paused_until: Mutex::new(now) }
    }

    /// Waits until a call may be made.
    pub(super) async fn turn(&self) {
        let mut next = self.next.lock().await;
        // The pause may be prolonged meanwhile.
        loop {
            let at = self.paused_until().max(*next);
            if at <= Instant::now() {
                break;
            }
            sleep_until(at).await;
        }
        *next = Instant::now() + SPACING;
    }

    /// Stripe has had too many calls, and says for how long it wants none.
    pub(super) fn pause(&self, how_long: Option<Duration>) {
        let until = Instant::now() + how_long.unwrap_or(PAUSE).min(MAX_PAUSE);
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused_until = until.max(*paused_until);
    }

    fn paused_until(&self) -> Instant {
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
