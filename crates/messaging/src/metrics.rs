//! What an operator sees of the messages, and of the database they wait in.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::outbox::{OutboxState, Shared};

/// Says what each is, and begins the counters at 0: what first appears at 1 has not risen.
pub(crate) fn describe() {
    for (name, about) in [
        ("karcis_outbox_sent_total", "Messages of the outbox that the broker acknowledged."),
        ("karcis_consumer_messages_total", "Messages handled."),
        ("karcis_consumer_skipped_total", "Messages skipped, as their type is not known here."),
        ("karcis_consumer_retries_total", "Batches tried again, as the service could not work."),
        ("karcis_consumer_left_total", "Batches not handled within a minute, left to others."),
        ("karcis_messages_dead_lettered_total", "Messages that went to the dead letters."),
        ("karcis_messages_parked_total", "Messages that the broker never takes."),
    ] {
        describe_counter!(name, about);
        counter!(name).increment(0);
    }
    for (name, about) in [
        (
            "karcis_outbox_messages",
            "Messages in the outbox, without those of refused topics, counted up to 100,000.",
        ),
        ("karcis_dead_letters", "Dead letters that wait for an operator, up to 10,000."),
        ("karcis_parked_messages", "Parked messages that wait for an operator, up to 10,000."),
        ("karcis_consumer_kept_messages", "Messages that wait for the batch being handled."),
        (
            "karcis_consumer_held_back_messages",
            "Messages that wait since others have their rows locked.",
        ),
        (
            "karcis_consumer_kept_bytes",
            "Bytes of the messages that wait for the batch being handled.",
        ),
        ("karcis_consumer_lag_messages", "Messages not yet handled of the partitions read here."),
    ] {
        describe_gauge!(name, about);
    }
    describe_gauge!(
        "karcis_outbox_oldest_age_seconds",
        Unit::Seconds,
        "How long the oldest message of the outbox has waited."
    );
    describe_gauge!(
        "karcis_consumer_unheard_seconds",
        Unit::Seconds,
        "How long messages have waited that this instance should get and does not."
    );
    describe_histogram!("karcis_consumer_batch_size", "Messages handled at once.");
    describe_histogram!(
        "karcis_consumer_batch_duration_seconds",
        Unit::Seconds,
        "Time a batch took, retries included."
    );
    describe_histogram!(
        "karcis_consumer_delay_seconds",
        Unit::Seconds,
        "Age of a batch's first message when the batch was taken."
    );
}

/// Measures each second what an operator wants to know, until `stopping`.
pub(crate) async fn watch(outbox: &Shared, stopping: &CancellationToken) {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(seconds.tick()).await.is_some() {
        let before = outbox.counts();
        let Some(measured) = stopping.run_until_cancelled(measure(outbox)).await else {
            return;
        };
        match measured {
            Ok((state, waiting)) => {
                outbox.measured(state, before, outbox.counts());
                show(state, waiting);
            }
            // The last known state stays.
            Err(error) => tracing::debug!(%error, "the outbox cannot be measured"),
        }
    }
}

/// What waits for an operator.
struct Waiting {
    dead_letters: i64,
    parked: i64,
}

/// The outbox's state, and what waits for an operator.
async fn measure(outbox: &Shared) -> Result<(OutboxState, Waiting), sqlx::Error> {
    const MEASURE: &str = "
        SELECT count(*),
               COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - min(created_at)), 0)::float8,
               (SELECT count(*) FROM (SELECT FROM dead_letter LIMIT 10000) AS kept),
               (SELECT count(*) FROM (SELECT FROM parked_message LIMIT 10000) AS parked)
        FROM (
            SELECT created_at FROM outbox
            WHERE topic <> ALL($1) AND hashtext(topic) <> ALL(ARRAY(
                -- What the outbox's owner tells.
                SELECT objid::int4 FROM pg_locks
                WHERE locktype = 'advisory' AND classid = 'outbox'::regclass AND objsubid = 2
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            ))
            ORDER BY id LIMIT 100000
        ) AS waiting";
    let refused = outbox.refused().all(Instant::now());
    let mut transaction = outbox.pool.begin().await?;
    // By the index: a scan would visit every page that sent rows have left behind.
    sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *transaction).await?;
    let (rows, oldest, dead_letters, parked): (i64, f64, i64, i64) =
        sqlx::query_as(MEASURE).bind(refused).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    let oldest = Duration::try_from_secs_f64(oldest).unwrap_or_default();
    Ok((OutboxState { rows: rows.unsigned_abs(), oldest }, Waiting { dead_letters, parked }))
}

fn show(outbox: OutboxState, waiting: Waiting) {
    gauge!("karcis_outbox_messages").set(outbox.rows as f64);
    gauge!("karcis_outbox_oldest_age_seconds").set(outbox.oldest.as_secs_f64());
    gauge!("karcis_dead_letters").set(waiting.dead_letters as f64);
    gauge!("karcis_parked_messages").set(waiting.parked as f64);
}
