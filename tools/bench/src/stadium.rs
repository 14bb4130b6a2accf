//! A stadium's on-sale: reservations that wait in Kafka for one event, and how fast event-service takes them.

use std::time::Duration;

use karcis_contracts::{EventCommand, Item, Message as _, ReserveTickets};
use karcis_kernel::{BookingId, EventId, UserId};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    BenchError,
    stack::{Event, Stack},
};

/// Of one statement that puts reservations into the outbox.
const AT_ONCE: usize = 10_000;
/// All have to be in Kafka, and all have to be taken, within this.
const WITHIN: Duration = Duration::from_secs(300);

/// What was drained.
#[derive(Debug, Serialize)]
pub(crate) struct Stadium {
    pub(crate) reservations: usize,
    pub(crate) per_s: f64,
}

/// A process that stands still until this is dropped.
struct Frozen(Pid);

impl Frozen {
    fn freeze(stack: &Stack, service: &str) -> Result<Self, BenchError> {
        let pid = stack.pids().get(service).and_then(|pid| (*pid).try_into().ok());
        let pid = pid.ok_or_else(|| BenchError::Start(format!("{service} does not run")))?;
        kill(Pid::from_raw(pid), Signal::SIGSTOP).map_err(std::io::Error::from)?;
        Ok(Self(Pid::from_raw(pid)))
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _was_there = kill(self.0, Signal::SIGCONT);
    }
}

/// Lets so many reservations wait while event-service stands still, and has it take them then. They belong to no
/// booking, and booking-service hears of none: the fleet is good for nothing else afterwards.
pub(crate) async fn drain(stack: &Stack, reservations: usize) -> Result<Stadium, BenchError> {
    let event = stack.events(1).await?.remove(0);
    let event_service = Frozen::freeze(stack, "event-service")?;
    for start in (0..reservations).step_by(AT_ONCE) {
        send(stack, &event, AT_ONCE.min(reservations - start)).await?;
    }
    until(stack, &event, "SELECT count(*) FROM bookings.outbox WHERE key = $1", 0).await?;
    let _booking_service = Frozen::freeze(stack, "booking-service")?;
    drop(event_service);
    let held = "SELECT sum(held) FROM events.ticket_type WHERE event_id = $1";
    until(stack, &event, held, reservations as i64).await?;
    // What the first commit took cannot be seen, so its reservations do not count.
    let per_s = sqlx::query_scalar(
        "SELECT (count(*) FILTER (WHERE created_at > first))::float8
             / nullif(extract(epoch FROM max(created_at) - min(first)), 0)::float8
         FROM (SELECT created_at, min(created_at) OVER () AS first FROM events.hold WHERE event_id = $1) AS held",
    );
    let per_s: Option<f64> = per_s.bind(event.id).fetch_one(&stack.database).await?;
    let too_few = || BenchError::Start("one commit took all that waited: let more wait".to_owned());
    Ok(Stadium { reservations, per_s: per_s.ok_or_else(too_few)? })
}

/// Has booking-service send so many, each of another buyer.
async fn send(stack: &Stack, event: &Event, count: usize) -> Result<(), BenchError> {
    let (mut bookings, mut kinds, mut bodies) = (vec![], vec![], vec![]);
    for _ in 0..count {
        let booking = Uuid::now_v7();
        let command = EventCommand::from(ReserveTickets {
            booking_id: BookingId(booking),
            event_id: EventId(event.id),
            user_id: UserId(Uuid::now_v7()),
            items: vec![Item { ticket_type_id: event.ticket_type, quantity: 1 }],
            expected_total: None,
        });
        bookings.push(booking);
        kinds.push(command.kind());
        bodies.push(command.body().map_err(std::io::Error::from)?);
    }
    let insert = "INSERT INTO bookings.outbox (topic, key, kind, correlation, body)
        SELECT $1, $2, kind, booking, body
        FROM UNNEST($3::text[], $4::uuid[], $5::bytea[]) AS sent (kind, booking, body)";
    let insert = sqlx::query(insert).bind(EventCommand::TOPIC).bind(event.id);
    let insert = insert.bind(kinds).bind(bookings).bind(bodies);
    insert.execute(&stack.database).await?;
    Ok(())
}

/// Waits until the database answers this.
async fn until(
    stack: &Stack,
    event: &Event,
    query: &'static str,
    wanted: i64,
) -> Result<(), BenchError> {
    let end = Instant::now() + WITHIN;
    loop {
        let answer: i64 =
            sqlx::query_scalar(query).bind(event.id).fetch_one(&stack.database).await?;
        if answer == wanted {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(BenchError::Books(format!("{query}: {answer} in place of {wanted}")));
        }
        sleep(Duration::from_millis(100)).await;
    }
}
