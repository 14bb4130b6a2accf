//! Buyers who book and pay, and how long each step took.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::{
    BenchError,
    stack::{Event, Stack},
};

/// How many purchases of the load at a fixed rate are under way at most: booking-service creates no more bookings at
/// once.
const UNFINISHED: usize = 2_048;

/// A booking that was paid.
pub(crate) struct Purchase {
    pub(crate) booking: Uuid,
    /// When it was to begin.
    pub(crate) due: Instant,
    /// From then to a booking that can be paid, as HTTP answers.
    pub(crate) created: Duration,
    /// When the payment was sent.
    pub(crate) sent: DateTime<Utc>,
    /// The payment's own answer.
    pub(crate) paid: Duration,
}

/// So many at once, one purchase after the other on events in turn, until then.
pub(crate) async fn buy(
    stack: &Stack,
    events: &[Event],
    buyers: usize,
    until: Instant,
) -> Result<Vec<Purchase>, BenchError> {
    let buying = (0..buyers).map(async |number| {
        let (token, mut bought) = (stack.token()?, vec![]);
        for event in events.iter().cycle().skip(number % events.len()) {
            let now = Instant::now();
            if now >= until {
                break;
            }
            bought.push(purchase(stack, event, &token, now).await?);
        }
        Ok::<_, BenchError>(bought)
    });
    Ok(try_join_all(buying).await?.into_iter().flatten().collect())
}

/// So many purchases a second on one event until then, each begun when it is due, whatever became of those before, and
/// each by another buyer. Where too many are unfinished those that are due wait, which counts as time that they took.
pub(crate) async fn offer(
    stack: &Stack,
    event: &Event,
    per_s: u32,
    until: Instant,
) -> Result<Vec<Purchase>, BenchError> {
    let due = stream::iter(due(Instant::now(), per_s, until)).then(async |due| {
        sleep_until(due).await;
        due
    });
    let buying = due.map(async |due| purchase(stack, event, &stack.token()?, due).await);
    buying.buffer_unordered(UNFINISHED).try_collect().await
}

/// When each purchase is due.
fn due(start: Instant, per_s: u32, until: Instant) -> impl Iterator<Item = Instant> {
    let after = move |number: u32| start + Duration::from_secs(1) * number / per_s;
    (0..).map(after).take_while(move |due| *due < until)
}

/// One booking, which is `due` then, until it is paid. When it is confirmed is in its log: to ask would be load of its
/// own.
pub(crate) async fn purchase(
    stack: &Stack,
    event: &Event,
    token: &str,
    due: Instant,
) -> Result<Purchase, BenchError> {
    let booking = payable(stack, event, token).await?;
    let created = due.elapsed();
    let id = booking["booking_id"].as_str().and_then(|id| id.parse().ok());
    let id: Uuid = id
        .filter(|_| booking["status"] == "awaiting_payment")
        .ok_or_else(|| BenchError::Refused(format!("a booking that cannot be paid: {booking}")))?;
    let (sent, start) = (Utc::now(), Instant::now());
    let payment = json!({"booking_id": id, "method": "tok_approved"});
    stack.post(token, "payment", "/payment/process", &payment).await?;
    Ok(Purchase { booking: id, due, created, sent, paid: start.elapsed() })
}

/// A new booking once it is no longer pending.
async fn payable(stack: &Stack, event: &Event, token: &str) -> Result<Value, BenchError> {
    let mut booking = stack.post(token, "booking", "/booking/create", &event.order).await?;
    // The create answers within ten seconds, whatever it has by then.
    while let ("pending", Some(id)) =
        (booking["status"].as_str().unwrap_or_default(), booking["booking_id"].as_str())
    {
        let url = stack.url("booking", &format!("/bookings/{id}"));
        sleep(Duration::from_millis(100)).await;
        booking =
            serde_json::from_slice(&stack.get(&url, token).await?).map_err(std::io::Error::from)?;
    }
    Ok(booking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purchases_are_due_at_a_fixed_rate_until_the_end() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let due: Vec<Instant> = due(start, 4, after(1_000)).collect();
        assert_eq!(due, [after(0), after(250), after(500), after(750)]);
    }

    #[test]
    fn the_rate_holds_for_long() {
        let start = Instant::now();
        let until = start + Duration::from_secs(600);
        assert_eq!(due(start, 7, until).count(), 4_200);
    }
}
