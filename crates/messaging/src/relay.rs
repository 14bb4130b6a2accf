//! The one sender of an outbox: reads, sends, waits for the acks, deletes.
//!
//! Guarantees: one instance sends at a time. It holds a session advisory lock and reads and deletes
//! on that very connection, so an instance that lost the lock can do neither; its producer lives no longer than
//! that and takes what is unsent with it. A frozen owner loses the lock after 15 s without a sign
//! of life. Rows are deleted after the broker's ack, and only those before the first failure, so
//! that what is sent again keeps its order; then connection and producer are replaced.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use karcis_process::trace::{self, Context};
use rdkafka::{
    error::KafkaError as ClientError,
    message::{Header, OwnedHeaders},
    producer::{FutureRecord, future_producer::DeliveryFuture},
};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Kafka, KafkaError,
    backoff::Backoff,
    kafka::Producer,
    metrics,
    outbox::{Outbox, Shared},
    spans::{self, Described},
};

/// Rows sent at once.
const BATCH: i64 = 1_000;
/// How often to look unasked: for what other instances wrote.
const POLL: Duration = Duration::from_millis(500);
/// The same, for a while after such a look found something.
const BUSY_POLL: Duration = Duration::from_millis(20);
const BUSY_FOR: Duration = Duration::from_secs(5);
/// A sign of life while acks are awaited.
const PING: Duration = Duration::from_secs(5);
/// The server ends a session without a sign of life after this time, so no later answer counts.
const SESSION: Duration = Duration::from_secs(15);
/// How long a stopping relay waits for acks.
const GRACE: Duration = Duration::from_secs(3);
/// Within this it shows a sign of life, whatever it waits for.
const GOES_ON: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database did not answer within 15 s")]
    DatabaseSilent,
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    #[error("a message was not acknowledged: {0}")]
    NotAcknowledged(ClientError),
    #[error("stopped before the broker acknowledged everything")]
    Stopped,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    message_id: Uuid,
    topic: String,
    key: Uuid,
    kind: String,
    correlation: Option<Uuid>,
    attempt: i32,
    trace: Option<String>,
    body: Vec<u8>,
    created_at: DateTime<Utc>,
}

impl Outbox {
    /// Sends what is there, in order, for as long as this instance owns the outbox; returns when
    /// `stopping`. Reconnects by itself. Every instance runs it: the owner sends, all keep
    /// [`Self::state`] fresh.
    pub async fn relay(
        self,
        kafka: Kafka,
        stopping: CancellationToken,
    ) -> Result<(), std::convert::Infallible> {
        metrics::describe();
        tokio::join!(
            keep_sending(&self.shared, &kafka, &stopping),
            metrics::watch(&self.shared, &stopping),
        );
        Ok(())
    }
}

/// Owns the outbox when no other instance does, and sends what is in it, until `stopping`.
async fn keep_sending(outbox: &Shared, kafka: &Kafka, stopping: &CancellationToken) {
    let mut backoff = Backoff::new();
    while !stopping.is_cancelled() {
        kafka.progress.goes_on("outbox", GOES_ON);
        let start = Instant::now();
        match own(outbox, kafka, stopping).await {
            Ok(()) | Err(RelayError::Stopped) => return,
            Err(error) => tracing::warn!(%error, "the relay starts again"),
        }
        if start.elapsed() > SESSION {
            backoff = Backoff::new();
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = sleep(backoff.next()) => {}
        }
    }
}

/// Waits for the lock, then sends; the connection, and with it the lock, ends with this.
async fn own(
    outbox: &Shared,
    kafka: &Kafka,
    stopping: &CancellationToken,
) -> Result<(), RelayError> {
    let options = outbox.pool.connect_options();
    let name = format!("karcis {} relay", options.get_username());
    let options = (*options).clone().application_name(&name).options([
        ("idle_session_timeout", "15s"),
        // Every statement here goes by id; without statistics the planner would not believe it.
        ("enable_seqscan", "off"),
    ]);
    let mut connection = answered(PgConnection::connect_with(&options)).await?;
    while !lock(&mut connection).await? {
        kafka.progress.goes_on("outbox", GOES_ON);
        tokio::select! {
            () = stopping.cancelled() => return Ok(()),
            () = sleep(POLL) => {}
        }
    }
    tracing::info!("this instance sends the outbox");
    let producer = kafka.producer()?;
    let outcome = send_all(outbox, kafka, &producer, &mut connection, stopping).await;
    // It blocks while it throws away what is unsent; that has to be gone before the lock is.
    let _ = tokio::task::spawn_blocking(move || drop(producer)).await;
    if outcome.is_ok() {
        answered(connection.close()).await?;
    }
    outcome
}

/// Whether this session has the lock now. The key is the table's own identity, as these locks are
/// per database and a database may hold several services' outboxes.
async fn lock(connection: &mut PgConnection) -> Result<bool, RelayError> {
    const LOCK: &str = "
        SELECT pg_try_advisory_lock(hashtextextended('karcis outbox ' || 'outbox'::regclass::oid, 0))";
    answered(sqlx::query_scalar(LOCK).fetch_one(connection)).await
}

async fn send_all(
    outbox: &Shared,
    kafka: &Kafka,
    producer: &Producer,
    connection: &mut PgConnection,
    stopping: &CancellationToken,
) -> Result<(), RelayError> {
    let mut announced = true;
    let mut busy_until = Instant::now();
    while !stopping.is_cancelled() {
        kafka.progress.goes_on("outbox", GOES_ON);
        let rows = read(connection).await?;
        if !rows.is_empty() {
            send(outbox, kafka, producer, connection, &rows, stopping).await?;
        }
        if rows.len() as i64 == BATCH {
            continue;
        }
        let now = Instant::now();
        if !announced && !rows.is_empty() {
            busy_until = now + BUSY_FOR;
        }
        announced = tokio::select! {
            () = outbox.signal.notified() => true,
            () = sleep(if now < busy_until { BUSY_POLL } else { POLL }) => false,
            () = stopping.cancelled() => return Ok(()),
        };
    }
    Ok(())
}

/// From the very beginning each time: a row with a lower id may have been committed since.
async fn read(connection: &mut PgConnection) -> Result<Vec<Row>, RelayError> {
    const READ: &str = "
        SELECT id, message_id, topic, key, kind, correlation, attempt, trace, body, created_at
        FROM outbox ORDER BY id LIMIT $1";
    answered(sqlx::query_as(READ).bind(BATCH).fetch_all(connection)).await
}

/// Hands all rows to the producer at once, waits for all acks and deletes what was acknowledged
/// before the first failure.
async fn send(
    outbox: &Shared,
    kafka: &Kafka,
    producer: &Producer,
    connection: &mut PgConnection,
    rows: &[Row],
    stopping: &CancellationToken,
) -> Result<(), RelayError> {
    let mut failure = None;
    let mut sent = Vec::with_capacity(rows.len());
    for row in rows {
        match enqueue(outbox.source, kafka, producer, row) {
            Ok((delivery, span)) => sent.push((row.id, delivery, span)),
            Err(error) => {
                failure = Some(RelayError::NotAcknowledged(error));
                break;
            }
        }
    }
    let (acknowledged, failed) = acknowledgements(connection, sent, stopping).await?;
    answered(
        sqlx::query("DELETE FROM outbox WHERE id = ANY($1)")
            .bind(&acknowledged)
            .execute(connection),
    )
    .await?;
    ::metrics::counter!("karcis_outbox_sent_total").increment(acknowledged.len() as u64);
    match failed.or(failure) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The ids acknowledged before the first failure, and that failure. Keeps the session alive while
/// it waits; an error means that it is lost.
async fn acknowledgements(
    connection: &mut PgConnection,
    sent: Vec<(i64, DeliveryFuture, Option<Context>)>,
    stopping: &CancellationToken,
) -> Result<(Vec<i64>, Option<RelayError>), RelayError> {
    let mut acknowledged = Vec::with_capacity(sent.len());
    let mut pings = interval_at(Instant::now() + PING, PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut grace = std::pin::pin!(grace(stopping));
    for (id, mut delivery, span) in sent {
        let delivered = loop {
            tokio::select! {
                biased;
                delivered = &mut delivery => break delivered,
                _ = pings.tick() => answered(connection.ping()).await?,
                () = &mut grace => return Ok((acknowledged, Some(RelayError::Stopped))),
            }
        };
        match delivered {
            Ok(Ok(_)) => acknowledged.push(id),
            Ok(Err((error, _))) => {
                span.inspect(|span| trace::fail(span, &error));
                return Ok((acknowledged, Some(RelayError::NotAcknowledged(error))));
            }
            Err(_) => {
                let error = RelayError::NotAcknowledged(ClientError::Canceled);
                return Ok((acknowledged, Some(error)));
            }
        }
    }
    Ok((acknowledged, None))
}

async fn grace(stopping: &CancellationToken) {
    stopping.cancelled().await;
    sleep(GRACE).await;
}

/// Hands the row to the producer, with the span that lasts until its ack. CloudEvents 1.0 in
/// Kafka's binary mode. Source:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>.
fn enqueue(
    source: &str,
    kafka: &Kafka,
    producer: &Producer,
    row: &Row,
) -> Result<(DeliveryFuture, Option<Context>), ClientError> {
    let topic = kafka.topic(&row.topic);
    let key = row.key.to_string();
    let time = row.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let attempt = row.attempt.to_string();
    let id = row.message_id.to_string();
    let correlation = row.correlation.map(|booking| booking.to_string());
    let message = Described { topic: &topic, kind: &row.kind, id: &id, booking: row.correlation };
    let span = spans::send(row.trace.as_deref(), message, row.created_at);
    let own = span.as_ref().and_then(trace::header);
    let headers = [
        ("ce_specversion", Some("1.0")),
        ("ce_id", Some(id.as_str())),
        ("ce_type", Some(row.kind.as_str())),
        ("ce_source", Some(source)),
        ("ce_time", Some(time.as_str())),
        ("ce_subject", Some(key.as_str())),
        ("ce_attempt", Some(attempt.as_str())),
        ("ce_correlationid", correlation.as_deref()),
        ("traceparent", own.as_deref().or(row.trace.as_deref())),
        ("content-type", Some("application/json")),
    ];
    let mut owned = OwnedHeaders::new_with_capacity(headers.len());
    for (key, value) in headers {
        if value.is_some() {
            owned = owned.insert(Header { key, value });
        }
    }
    let record = FutureRecord::to(&topic).key(&key).payload(&row.body).headers(owned);
    let delivery = producer.send_result(record).map_err(|(error, _)| error)?;
    Ok((delivery, span))
}

/// The database's answer, unless it comes too late for this session to be alive.
async fn answered<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, RelayError> {
    match timeout(SESSION, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(RelayError::DatabaseSilent),
    }
}
