//! The floor: what the services store for a booking, by their own use cases and adapters in full batches, with no HTTP
//! and no Kafka in between.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use futures_util::future::try_join_all;
use karcis_booking_service::{
    application::{Bookings, create_booking},
    domain::{Item, Items, Order, ResendSchedule},
};
use karcis_database::{Pool, connect_to};
use karcis_fleet::{When, violations};
use karcis_kernel::{BookingId, EventId, UserId};
use karcis_messaging::{Consumer, Received};
use karcis_payment_service::{
    application::{PaymentGateway, Payments, StartAttempt, Started, charge_attempt, start_attempt},
    domain::AttemptId,
};
use karcis_process::now;
use karcis_schemas::{
    BOOKING, BOOKINGS, EVENT, EVENTS, PAYMENT, PAYMENTS, SIMULATED_GATEWAY, Schema, Service, USER,
    USERS, as_owner, migrate, prepare, role_url, schemas,
};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use crate::{
    BenchError,
    growth::rows,
    stack::{Event, Stack},
};

/// Bookings that are brought to their ends together.
const AT_ONCE: usize = 1_000;
/// Messages that are handled together, as [`Consumer::handle`] takes.
const BATCH: usize = 1_000;
/// Databases, for which the server has connections.
const MOST: usize = 8;
/// Connections to each schema: a wave has no two commits of one at the same time.
const CONNECTIONS: u32 = 2;
/// A buyer's time to pay, and longer than any step takes: nothing is sent again.
const PAY_WITHIN: Duration = Duration::from_secs(900);

/// A message of an outbox: its id, topic, kind, booking and body.
type Message = (i64, String, String, Option<Uuid>, Vec<u8>);

/// Bookings confirmed in a second, for so long, in as many databases of the fleet's server as there are processors, so
/// that none waits for another's locks. Their books are checked too.
pub(crate) async fn floor(stack: &Stack, event: &Event, seconds: u64) -> Result<f64, BenchError> {
    let mut databases = Vec::new();
    for number in 0..available_parallelism().map_or(1, usize::from).min(MOST) {
        databases.push(database(stack, event, number).await?);
    }
    let mut selling = JoinSet::new();
    for url in databases.clone() {
        selling.spawn(sell(url, event.clone(), Duration::from_secs(seconds)));
    }
    let mut per_s = 0.0;
    while let Some(sold) = selling.join_next().await {
        per_s += sold.map_err(std::io::Error::from)??;
    }
    for url in databases {
        let broken = violations(&PgPool::connect(&url).await?, When::Rest).await?;
        if let Some(first) = broken.first() {
            return Err(BenchError::Books(format!(
                "the floor's rule {}: {}",
                first.rule, first.what
            )));
        }
    }
    Ok(per_s)
}

/// A database with all schemas and this event; its URL.
async fn database(stack: &Stack, event: &Event, number: usize) -> Result<String, BenchError> {
    let start = |error: &dyn std::error::Error| BenchError::Start(error.to_string());
    let create = AssertSqlSafe(format!("CREATE DATABASE floor_{number}"));
    sqlx::query(create).execute(&stack.database).await?;
    let (server, _) = stack.database_url().rsplit_once('/').unwrap_or_default();
    let url = format!("{server}/floor_{number}");
    prepare(&url).await.map_err(|error| start(&error))?;
    for schema in schemas() {
        migrate(&as_owner(&url, schema)?, schema.migrations)
            .await
            .map_err(|error| start(&error))?;
    }
    let (from, to) = (&mut *stack.database.acquire().await?, PgPool::connect(&url).await?);
    for table in ["events.event", "events.ticket_type", "bookings.event"] {
        let (rows, insert) = rows(from, table, "event_id", &[event.id]).await?;
        let mut session = to.acquire().await?;
        let mut copying = session.copy_in_raw(&insert).await?;
        copying.send(rows).await?;
        copying.finish().await?;
    }
    // The fleet may have sold some of it.
    sqlx::query("UPDATE events.ticket_type SET held = 0, sold = 0").execute(&to).await?;
    Ok(url)
}

/// Books and pays in one database, and counts the bookings confirmed in a second after the first wave.
async fn sell(url: String, event: Event, time: Duration) -> Result<f64, BenchError> {
    let pool = async |schema: Schema| {
        let url = role_url(&url, schema);
        connect_to("DATABASE_URL", &url, CONNECTIONS)
            .await
            .map_err(|error| BenchError::Start(error.to_string()))
    };
    let (events, bookings, payments) =
        (pool(EVENTS).await?, pool(BOOKINGS).await?, pool(PAYMENTS).await?);
    let resends = ResendSchedule::new(PAY_WITHIN);
    let (store, replies) = karcis_booking_service::floor(bookings.clone(), resends);
    let ledger = pool(SIMULATED_GATEWAY).await?;
    let (attempts, gateway, requests) = karcis_payment_service::floor(payments.clone(), &ledger);
    let commands = karcis_event_service::floor(events.clone(), 1);
    let facts = karcis_user_service::floor(pool(USERS).await?);
    let deliver = async || {
        loop {
            let mut some = false;
            for outbox in [&events, &bookings, &payments] {
                let messages = waiting(outbox).await?;
                some |= !messages.is_empty();
                handle(&EVENT, &commands, &messages).await?;
                handle(&BOOKING, &replies, &messages).await?;
                handle(&PAYMENT, &requests, &messages).await?;
                handle(&USER, &facts, &messages).await?;
                sent(outbox, &messages).await?;
            }
            if !some {
                return Ok::<_, BenchError>(());
            }
        }
    };
    let wave = async || {
        let orders: Vec<Order> = (0..AT_ONCE).map(|_| order(&event)).collect::<Result<_, _>>()?;
        book(&store, resends, &orders).await?;
        deliver().await?;
        pay(&attempts, &gateway, &orders).await?;
        deliver().await
    };
    wave().await?;
    let (from, mut confirmed) = (Instant::now(), 0);
    while from.elapsed() < time {
        wave().await?;
        confirmed += AT_ONCE;
    }
    Ok(confirmed as f64 / from.elapsed().as_secs_f64())
}

fn order(event: &Event) -> Result<Order, BenchError> {
    let items = Items::new(vec![Item { ticket_type_id: event.ticket_type, quantity: 1 }]);
    Ok(Order {
        id: BookingId(Uuid::now_v7()),
        buyer: UserId(Uuid::now_v7()),
        event_id: EventId(event.id),
        items: items.map_err(|wrong| BenchError::Refused(format!("{wrong:?}")))?,
        expected_total: None,
        created_at: now(),
        pay_by: now() + PAY_WITHIN,
    })
}

async fn book(
    store: &impl Bookings,
    resends: ResendSchedule,
    orders: &[Order],
) -> Result<(), BenchError> {
    let create =
        |order: &Order| create_booking(store, resends, order.clone(), Arc::default(), None);
    let created = try_join_all(orders.iter().map(create)).await;
    created.map_err(|error| BenchError::Refused(error.to_string()))?;
    Ok(())
}

async fn pay(
    attempts: &impl Payments,
    gateway: &impl PaymentGateway,
    orders: &[Order],
) -> Result<(), BenchError> {
    let refused = |error: &dyn std::error::Error| BenchError::Refused(error.to_string());
    let paying = orders.iter().map(async |order| {
        let attempt = AttemptId(Uuid::now_v7());
        let start = StartAttempt {
            attempt,
            booking_id: order.id,
            user_id: order.buyer,
            method: "tok_approved".to_owned(),
            key: None,
            at: now(),
        };
        let started = start_attempt(attempts, start).await.map_err(|error| refused(&error))?;
        if let Started::Charge(payment) = started {
            let charged = charge_attempt(attempts, gateway, payment, attempt).await;
            charged.map_err(|error| refused(&error))?;
        }
        Ok::<_, BenchError>(())
    });
    try_join_all(paying).await?;
    Ok(())
}

/// Has a service handle those of the messages that it reads.
async fn handle<C: Consumer>(
    service: &Service,
    consumer: &C,
    messages: &[Message],
) -> Result<(), BenchError> {
    let mut batch = Vec::new();
    for (id, topic, kind, correlation, body) in messages {
        if service.reads.contains(&topic.as_str())
            && let Some(message) =
                consumer.decode(topic, kind, body).map_err(std::io::Error::from)?
        {
            batch.push(Received { message, id: id.to_string(), correlation: *correlation });
        }
    }
    if batch.is_empty() {
        return Ok(());
    }
    let handled = consumer.handle(&batch).await;
    handled.map_err(|error| BenchError::Refused(format!("{}: {error}", service.full_name())))
}

async fn waiting(outbox: &Pool) -> Result<Vec<Message>, BenchError> {
    let waiting = "SELECT id, topic, kind, correlation, body FROM outbox ORDER BY id LIMIT $1";
    let waiting = sqlx::query_as(waiting).bind(BATCH as i64).fetch_all(outbox).await;
    Ok(waiting?)
}

/// Deletes them, as the relay does.
async fn sent(outbox: &Pool, messages: &[Message]) -> Result<(), BenchError> {
    let ids: Vec<i64> = messages.iter().map(|message| message.0).collect();
    if !ids.is_empty() {
        sqlx::query("DELETE FROM outbox WHERE id = ANY($1)").bind(ids).execute(outbox).await?;
    }
    Ok(())
}
