//! What an operator sees of the messages, and of the database they wait in.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use sqlx::PgPool;

use crate::OutboxState;

/// Says what each is, and begins the counters at 0: what first appears at 1 has not risen.
pub(crate) fn describe() {
    for (name, about) in [
        ("karcis_outbox_sent_total", "Messages of the outbox that the broker acknowledged."),
        ("karcis_consumer_messages_total", "Messages handled."),
        ("karcis_consumer_skipped_total", "Messages skipped, as their type is not known here."),
        ("karcis_consumer_retries_total", "Batches tried again, as the service could not work."),
        ("karcis_messages_dead_lettered_total", "Messages that went to the dead letters."),
    ] {
        describe_counter!(name, about);
        counter!(name).increment(0);
    }
    for (name, about) in [
        ("karcis_outbox_messages", "Messages in the outbox, counted up to 100,000."),
        ("karcis_dead_letters", "Dead letters that wait for an operator, up to 10,000."),
        ("karcis_consumer_lag_messages", "Messages not yet handled of the partitions read here."),
        ("karcis_database_connections", "Connections of the pool, by state: idle or used."),
        ("karcis_database_connections_max", "Connections the pool may have."),
    ] {
        describe_gauge!(name, about);
    }
    describe_gauge!(
        "karcis_outbox_oldest_age_seconds",
        Unit::Seconds,
        "How long the oldest message of the outbox has waited."
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

/// What is looked at each second.
pub(crate) fn watch(outbox: OutboxState, dead_letters: i64, pool: &PgPool) {
    gauge!("karcis_outbox_messages").set(outbox.rows as f64);
    gauge!("karcis_outbox_oldest_age_seconds").set(outbox.oldest.as_secs_f64());
    gauge!("karcis_dead_letters").set(dead_letters as f64);
    let idle = pool.num_idle() as f64;
    gauge!("karcis_database_connections", "state" => "idle").set(idle);
    gauge!("karcis_database_connections", "state" => "used").set(f64::from(pool.size()) - idle);
    let most = pool.options().get_max_connections();
    gauge!("karcis_database_connections_max").set(most);
}
