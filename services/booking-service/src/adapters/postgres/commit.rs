//! The one transaction that every change of a booking goes through.

use std::collections::{HashMap, HashSet};

use karcis_database::{Connection, StoreError};
use karcis_kernel::Bug;
use karcis_messaging::Outgoing;
use karcis_process::trace::{self, Context};
use sqlx::{Postgres, Row as _, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{
    PgBookings, booking_names,
    idempotency_keys::take_keys,
    rows::{Orders, States, attempt},
    saga_log,
};
use crate::{adapters::metrics, application::Change};

/// A change with its messages in wire form: made in the requester's task, whose trace they carry.
pub(super) struct EncodedChange {
    change: Change,
    outgoing: Vec<Outgoing>,
    context: Context,
}

impl PgBookings {
    pub(super) fn encode(&self, change: Change) -> EncodedChange {
        let outgoing = (self.encode)(&change);
        let context = trace::of(Some(change.id().0));
        EncodedChange { change, outgoing, context }
    }

    /// Writes the changes in one transaction, without those that conflict. Returns for each whether
    /// it was written.
    pub(super) async fn write(&self, changes: &[&EncodedChange]) -> Result<Vec<bool>, StoreError> {
        if Bug::PublishedBeforeCommit.is_planted() {
            let mut own = self.pool.begin_batch().await?;
            let messages: Vec<Outgoing> =
                changes.iter().flat_map(|change| change.outgoing.iter().cloned()).collect();
            self.outbox.insert(&mut own, &messages).await?;
            own.commit().await?;
            self.outbox.notify();
        }
        let mut transaction = self.pool.begin_batch().await?;
        let mut is_written = vec![true; changes.len()];
        find_conflicts(&mut transaction, changes, &mut is_written).await?;
        let keys: Vec<_> = changes.iter().map(|change| change.change.key.as_ref()).collect();
        take_keys(&mut transaction, &keys, &mut is_written).await?;
        insert(&mut transaction, changes, &mut is_written).await?;
        let written: Vec<&EncodedChange> = changes
            .iter()
            .zip(&is_written)
            .filter(|(_, is_written)| **is_written)
            .map(|(change, _)| *change)
            .collect();
        if written.is_empty() {
            return Ok(is_written);
        }
        update(&mut transaction, &written).await?;
        let new: Vec<&Change> = written.iter().map(|written| &written.change).collect();
        booking_names::insert(&mut transaction, &new).await?;
        let mut entries = vec![];
        for EncodedChange { change, context, .. } in &written {
            let trace_id = trace::trace_id(context);
            let logged = change.log.iter().map(|entry| (change.id(), entry, trace_id.clone()));
            entries.extend(logged);
        }
        saga_log::append(&mut transaction, &entries).await?;
        for EncodedChange { change, context, .. } in &written {
            if let Some(act) = &change.act {
                trace::scope(context.clone(), act.record(&mut transaction)).await?;
            }
        }
        let messages: Vec<Outgoing> =
            written.iter().flat_map(|change| change.outgoing.iter().cloned()).collect();
        self.outbox.insert(&mut transaction, &messages).await?;
        transaction.commit().await?;
        self.outbox.notify();
        self.live.notify();
        report_transitions(&written);
        Ok(is_written)
    }
}

/// Locks the changes' bookings and marks those that were changed since they were loaded, or that others
/// have locked. Of two changes of one booking the second conflicts.
async fn find_conflicts(
    connection: &mut Connection,
    changes: &[&EncodedChange],
    is_written: &mut [bool],
) -> Result<(), sqlx::Error> {
    let loaded: Vec<_> = changes
        .iter()
        .zip(is_written)
        .filter_map(|(change, is_written)| Some((change.change.before.as_ref()?, is_written)))
        .collect();
    if loaded.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = loaded.iter().map(|(before, _)| before.order.id.0).collect();
    let rows: Vec<(Uuid, i64, i32)> = sqlx::query_as(
        "SELECT id, version, attempt FROM booking WHERE id = ANY($1)
         ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut stored: HashMap<Uuid, (i64, i32)> =
        rows.into_iter().map(|(id, version, attempt)| (id, (version, attempt))).collect();
    for (before, is_written) in loaded {
        let seen = (before.version, attempt(before));
        let now = stored.remove(&before.order.id.0);
        *is_written = now == Some(seen) || now.is_some() && Bug::VersionCheckSkipped.is_planted();
    }
    Ok(())
}

async fn update(
    connection: &mut Connection,
    written: &[&EncodedChange],
) -> Result<(), sqlx::Error> {
    let mut states = States::default();
    for change in written.iter().filter(|change| change.change.before.is_some()) {
        states.push(&change.change);
    }
    if states.id.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(
        "UPDATE booking SET version = new.version, stage = new.stage, reason = new.reason,
             payable = new.payable, released = new.released, refunded = new.refunded,
             offer = COALESCE(new.offer::json, booking.offer),
             tickets = COALESCE(new.tickets::json, booking.tickets),
             attempt = new.attempt, wake_at = new.wake_at, due_at = new.due_at,
             stuck = new.stuck, updated_at = new.updated_at, event_version = new.event_version,
             gone = new.stage IN ('releasing', 'refunding', 'rejected', 'cancelled')
         FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::boolean[],
             $6::boolean[], $7::boolean[], $8::text[], $9::text[], $10::integer[],
             $11::timestamptz[], $12::timestamptz[], $13::text[], $14::timestamptz[],
             $15::bigint[])
             AS new (id, version, stage, reason, payable, released, refunded, offer, tickets,
                 attempt, wake_at, due_at, stuck, updated_at, event_version)
         WHERE booking.id = new.id",
    );
    bind_states(statement, states).execute(connection).await?;
    Ok(())
}

/// Stores the new bookings and marks those that are stored already, by a commit whose answer was lost.
async fn insert(
    connection: &mut Connection,
    changes: &[&EncodedChange],
    is_written: &mut [bool],
) -> Result<(), sqlx::Error> {
    let (mut states, mut orders) = (States::default(), Orders::default());
    let mut new = vec![];
    for (EncodedChange { change, .. }, is_written) in changes.iter().zip(is_written) {
        if change.before.is_none() && *is_written {
            states.push(change);
            orders.push(&change.after);
            new.push((change.id().0, is_written));
        }
    }
    if states.id.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(
        "INSERT INTO booking (id, version, stage, reason, payable, released, refunded, offer,
             tickets, attempt, wake_at, due_at, stuck, updated_at, event_version, user_id, event_id,
             items, expected_amount, expected_currency, created_at, pay_by)
         SELECT id, version, stage, reason, payable, released, refunded, offer::json,
             tickets::json, attempt, wake_at, due_at, stuck, updated_at, event_version, user_id,
             event_id, items::json, expected_amount, expected_currency, created_at, pay_by
         FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::boolean[],
             $6::boolean[], $7::boolean[], $8::text[], $9::text[], $10::integer[],
             $11::timestamptz[], $12::timestamptz[], $13::text[], $14::timestamptz[],
             $15::bigint[], $16::uuid[], $17::uuid[], $18::text[], $19::bigint[], $20::text[],
             $21::timestamptz[], $22::timestamptz[])
             AS new (id, version, stage, reason, payable, released, refunded, offer, tickets,
                 attempt, wake_at, due_at, stuck, updated_at, event_version, user_id, event_id,
                 items, expected_amount, expected_currency, created_at, pay_by)
         ON CONFLICT (id) DO NOTHING RETURNING id",
    );
    let rows = bind_states(statement, states)
        .bind(orders.user_id)
        .bind(orders.event_id)
        .bind(orders.items)
        .bind(orders.expected_amount)
        .bind(orders.expected_currency)
        .bind(orders.created_at)
        .bind(orders.pay_by)
        .fetch_all(connection)
        .await?;
    let mut inserted: HashSet<Uuid> =
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    for (id, is_written) in new {
        *is_written = inserted.remove(&id);
    }
    Ok(())
}

fn bind_states(
    statement: Query<'static, Postgres, PgArguments>,
    states: States,
) -> Query<'static, Postgres, PgArguments> {
    statement
        .bind(states.id)
        .bind(states.version)
        .bind(states.stage)
        .bind(states.reason)
        .bind(states.payable)
        .bind(states.released)
        .bind(states.refunded)
        .bind(states.offer)
        .bind(states.tickets)
        .bind(states.attempt)
        .bind(states.wake_at)
        .bind(states.due_at)
        .bind(states.stuck)
        .bind(states.updated_at)
        .bind(states.event_version)
}

/// Counts and logs the transitions of committed changes.
fn report_transitions(written: &[&EncodedChange]) {
    let mut counts: HashMap<metrics::TransitionLabels, u64> = HashMap::new();
    for EncodedChange { change, context, .. } in written {
        let reason = change.after.reason().unwrap_or("none");
        for entry in &change.log {
            let (from, to) = (entry.from.unwrap_or("none"), entry.to);
            *counts.entry(metrics::TransitionLabels { from, to, reason }).or_default() += 1;
            if tracing::enabled!(tracing::Level::DEBUG) {
                let _in_its_trace = context.clone().attach();
                let (booking_id, input) = (change.id(), entry.input);
                tracing::debug!(%booking_id, input, from, to, reason, "transition");
            }
        }
    }
    metrics::count_transitions(counts);
}
