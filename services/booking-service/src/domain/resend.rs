//! When a command without an answer is sent again.

use std::time::Duration;

use karcis_kernel::{BookingId, Timestamp};

/// How often a stage's pending commands were sent, and when they are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NextResend {
    /// 1 after the first sending.
    pub attempt: u32,
    pub at: Timestamp,
}

/// The waits between two sendings of a command: each is twice the one before, up to 60 times the
/// first. A payment that waits for its buyer begins at 12 times the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResendSchedule {
    first: Duration,
}

const BUYER_FACTOR: u32 = 12;
const LONGEST_FACTOR: u32 = 60;

impl ResendSchedule {
    /// The schedule whose first wait is `first`.
    pub fn new(first: Duration) -> Self {
        Self { first }
    }

    /// The time between the `attempt`th sending and the next. The booking's id makes it up to a
    /// fifth longer, so that commands that were lost together are not sent again together.
    pub(super) fn wait(self, id: BookingId, attempt: u32, waits_for_buyer: bool) -> Duration {
        let first = if waits_for_buyer { self.first * BUYER_FACTOR } else { self.first };
        let doublings = attempt.saturating_sub(1).min(16);
        let wait = (first * 2_u32.pow(doublings)).min(self.first * LONGEST_FACTOR);
        // The last bits of an id are random.
        let part = u32::from(id.0.as_u128() as u16);
        wait + wait / 5 * part / (1 << 16)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_id_makes_each_wait_up_to_a_fifth_longer() {
        let schedule = ResendSchedule::new(Duration::from_secs(5));
        for (bits, wait_ms) in [(0, 5_000), (1 << 15, 5_500), (u128::MAX, 5_999)] {
            let wait = schedule.wait(BookingId(Uuid::from_u128(bits)), 1, false);
            assert_eq!(wait.as_millis(), wait_ms);
        }
    }
}
