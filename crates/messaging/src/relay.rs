//! The one sender of an outbox: reads, sends, waits for the acks, deletes.
//!
//! Guarantees: one instance sends at a time. It holds a session advisory lock and reads and deletes
//! on that very connection, so an instance that lost the lock can do neither; its producer lives no longer than
//! that and takes what is unsent with it. A frozen owner loses the lock after 5 s without a sign
//! of life, and each instance leaves a server once another one takes the writes. Rows are deleted after the
//! broker's ack. After an outage, connection and producer are replaced.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Kafka,
    backoff::Backoff,
    bounds::BATCH,
    metrics,
    outbox::{Outbox, Shared},
    relay_session::{GOES_ON, RelayError, SESSION, answered},
    sender::Sender,
};

/// How often to look unasked: for what other instances wrote.
const POLL: Duration = Duration::from_millis(500);
/// The same, for a while after such a look found something.
const BUSY_POLL: Duration = Duration::from_millis(20);
const BUSY_FOR: Duration = Duration::from_secs(5);

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
    let server = outbox.pool.server();
    let connect = outbox.pool.connect_alone(|options| {
        let name = format!("karcis {} relay", options.get_username());
        options.application_name(&name).options([
            ("idle_session_timeout", "5s"),
            // Every statement here goes by id; without statistics the planner would not believe it.
            ("enable_seqscan", "off"),
        ])
    });
    let mut connection = answered(connect).await?;
    while !lock(&mut connection).await? {
        stays_at(server, outbox)?;
        kafka.progress.goes_on("outbox", GOES_ON);
        tokio::select! {
            () = stopping.cancelled() => return Ok(()),
            () = sleep(POLL) => {}
        }
    }
    tracing::info!("this instance sends the outbox");
    let producer = kafka.producer()?;
    let sender = Sender::new(outbox, kafka, &producer, &mut connection, stopping);
    let outcome = send_all(sender, outbox, kafka, server, stopping).await;
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

/// An error once another server takes the writes: this one may go on, and show an outbox that stays empty.
fn stays_at(server: usize, outbox: &Shared) -> Result<(), RelayError> {
    if outbox.pool.server() == server { Ok(()) } else { Err(RelayError::Replaced) }
}

async fn send_all(
    mut sender: Sender<'_>,
    outbox: &Shared,
    kafka: &Kafka,
    server: usize,
    stopping: &CancellationToken,
) -> Result<(), RelayError> {
    let mut announced = true;
    let mut busy_until = Instant::now();
    while !stopping.is_cancelled() {
        stays_at(server, outbox)?;
        kafka.progress.goes_on("outbox", GOES_ON);
        let rows = sender.read().await?;
        if !rows.is_empty() {
            sender.send(&rows).await?;
        } else if sender.is_lost().await {
            return Err(RelayError::Lost);
        }
        let bytes: usize = rows.iter().map(|row| row.body.len()).sum();
        if rows.len() == BATCH.messages || bytes > BATCH.bytes / 2 {
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
