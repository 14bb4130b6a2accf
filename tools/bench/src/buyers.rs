//! Buyers who book and pay, and how long each step took.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    BenchError,
    stack::{Event, Stack},
};

/// What they met.
#[derive(Default)]
pub(crate) struct Purchases {
    /// From the create to a booking that can be paid, as HTTP answers.
    pub(crate) created: Vec<Duration>,
    /// The payment's own answer.
    pub(crate) paid: Vec<Duration>,
    /// When each payment was sent, by booking.
    pub(crate) sent: HashMap<Uuid, DateTime<Utc>>,
}

/// So many at once, one purchase after the other on events in turn, until then.
pub(crate) async fn buy(
    stack: &Stack,
    events: &[Event],
    buyers: usize,
    until: Instant,
) -> Result<Purchases, BenchError> {
    let all = Mutex::new(Purchases::default());
    let buying = (0..buyers).map(async |number| {
        let token = stack.token()?;
        for event in events.iter().cycle().skip(number % events.len()) {
            if Instant::now() >= until {
                break;
            }
            purchase(stack, event, &token, &all).await?;
        }
        Ok::<_, BenchError>(())
    });
    try_join_all(buying).await?;
    Ok(all.into_inner().unwrap_or_default())
}

/// One booking until it is paid. When it is confirmed is in its log: to ask would be load of its own.
pub(crate) async fn purchase(
    stack: &Stack,
    event: &Event,
    token: &str,
    all: &Mutex<Purchases>,
) -> Result<Uuid, BenchError> {
    let start = Instant::now();
    let booking = stack.post(token, "booking", "/booking/create", &event.order).await?;
    let created = start.elapsed();
    let id = booking["booking_id"].as_str().and_then(|id| id.parse().ok());
    let id: Uuid = id
        .filter(|_| booking["status"] == "awaiting_payment")
        .ok_or_else(|| BenchError::Refused(format!("a booking that cannot be paid: {booking}")))?;
    let (sent, start) = (Utc::now(), Instant::now());
    let payment = json!({"booking_id": id, "method": "tok_approved"});
    stack.post(token, "payment", "/payment/process", &payment).await?;
    let paid = start.elapsed();
    let mut all = all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.created.push(created);
    all.paid.push(paid);
    all.sent.insert(id, sent);
    Ok(id)
}
