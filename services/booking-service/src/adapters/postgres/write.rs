//! The one transaction every change of a booking goes through.

use std::{collections::HashMap, time::Duration};

use karcis_http::Live;
use karcis_kernel::{BookingId, TicketCode};
use karcis_messaging::{Outbox, Outgoing};
use karcis_process::{
    now,
    trace::{self, Context},
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    columns::{Logs, Orders, Pace, States, attempt},
    turns,
};
use crate::{
    adapters::kafka::outgoing,
    application::{Change, RequestKey},
    domain::Stage,
};

/// How often a transaction that deadlocked is tried.
const TRIES: u32 = 3;

/// A change with its messages as they go out: made by who asks, whose context they carry.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) change: Change,
    pub(super) outgoing: Vec<Outgoing>,
    pub(super) key: Option<RequestKey>,
    pub(super) context: Context,
}

impl Prepared {
    pub(super) fn new(change: Change) -> Self {
        let order = &change.after.order;
        let outgoing = change.messages.iter().map(|sent| outgoing(order, *sent)).collect();
        let context = trace::of(Some(order.id.0));
        Self { change, outgoing, key: None, context }
    }

    fn id(&self) -> Uuid {
        self.change.after.order.id.0
    }
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is stored.
    Written,
    /// Its booking moved meanwhile: nothing is stored.
    Conflict,
    /// Its request's key was used before: nothing is stored.
    Known { booking_id: BookingId, fingerprint: Vec<u8> },
}

/// Writes changes.
pub(super) struct Writer {
    pool: PgPool,
    outbox: Outbox,
    live: Live,
    pace: Pace,
}

impl Writer {
    pub(super) fn new(pool: PgPool, outbox: Outbox, live: Live, resend_after: Duration) -> Self {
        Self { pool, outbox, live, pace: Pace::new(resend_after) }
    }

    /// Writes all changes in one transaction. Returns what became of each, in their order.
    pub(super) async fn write(&self, changes: &[Prepared]) -> Result<Vec<Outcome>, sqlx::Error> {
        let mut tries = 1;
        let outcomes = loop {
            match self.try_to_write(changes).await {
                Err(error) if tries < TRIES && is_deadlock(&error) => tries += 1,
                outcomes => break outcomes?,
            }
        };
        self.outbox.notify();
        self.live.notify();
        let written = changes.iter().zip(&outcomes).filter(|(_, it)| **it == Outcome::Written);
        turns::tell(written.map(|(change, _)| change));
        Ok(outcomes)
    }

    async fn try_to_write(&self, changes: &[Prepared]) -> Result<Vec<Outcome>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let mut outcomes = vec![Outcome::Written; changes.len()];
        find_conflicts(&mut transaction, changes, &mut outcomes).await?;
        store_keys(&mut transaction, changes, &mut outcomes).await?;
        let written: Vec<&Prepared> = changes
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| **outcome == Outcome::Written)
            .map(|(change, _)| change)
            .collect();
        if written.is_empty() {
            return Ok(outcomes);
        }
        self.update(&mut transaction, &written).await?;
        self.insert(&mut transaction, &written).await?;
        log(&mut transaction, &written).await?;
        store_tickets(&mut transaction, &written).await?;
        let messages: Vec<Outgoing> =
            written.iter().flat_map(|change| change.outgoing.iter().cloned()).collect();
        self.outbox.insert(&mut transaction, &messages).await?;
        if let Err(error) = transaction.commit().await
            && !self.is_stored(&written).await?
        {
            return Err(error);
        }
        Ok(outcomes)
    }

    async fn update(
        &self,
        connection: &mut PgConnection,
        written: &[&Prepared],
    ) -> Result<(), sqlx::Error> {
        let mut states = States::default();
        let now = now();
        for change in written.iter().filter(|change| change.change.before.is_some()) {
            states.push(&change.change, self.pace, now);
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
                 stuck = new.stuck, updated_at = new.updated_at
             FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::boolean[],
                 $6::boolean[], $7::boolean[], $8::text[], $9::text[], $10::integer[],
                 $11::timestamptz[], $12::timestamptz[], $13::text[], $14::timestamptz[])
                 AS new (id, version, stage, reason, payable, released, refunded, offer, tickets,
                     attempt, wake_at, due_at, stuck, updated_at)
             WHERE booking.id = new.id",
        );
        bind_states(statement, states).execute(connection).await?;
        Ok(())
    }

    async fn insert(
        &self,
        connection: &mut PgConnection,
        written: &[&Prepared],
    ) -> Result<(), sqlx::Error> {
        let (mut states, mut orders) = (States::default(), Orders::default());
        let now = now();
        for change in written.iter().filter(|change| change.change.before.is_none()) {
            states.push(&change.change, self.pace, now);
            orders.push(&change.change.after);
        }
        if states.id.is_empty() {
            return Ok(());
        }
        let statement = sqlx::query(
            "INSERT INTO booking (id, version, stage, reason, payable, released, refunded, offer,
                 tickets, attempt, wake_at, due_at, stuck, updated_at, user_id, event_id, items,
                 expected_amount, expected_currency, created_at, pay_by)
             SELECT id, version, stage, reason, payable, released, refunded, offer::json,
                 tickets::json, attempt, wake_at, due_at, stuck, updated_at, user_id, event_id,
                 items::json, expected_amount, expected_currency, created_at, pay_by
             FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::boolean[],
                 $6::boolean[], $7::boolean[], $8::text[], $9::text[], $10::integer[],
                 $11::timestamptz[], $12::timestamptz[], $13::text[], $14::timestamptz[],
                 $15::uuid[], $16::uuid[], $17::text[], $18::bigint[], $19::text[],
                 $20::timestamptz[], $21::timestamptz[])
                 AS new (id, version, stage, reason, payable, released, refunded, offer, tickets,
                     attempt, wake_at, due_at, stuck, updated_at, user_id, event_id, items,
                     expected_amount, expected_currency, created_at, pay_by)",
        );
        bind_states(statement, states)
            .bind(orders.user_id)
            .bind(orders.event_id)
            .bind(orders.items)
            .bind(orders.expected_amount)
            .bind(orders.expected_currency)
            .bind(orders.created_at)
            .bind(orders.pay_by)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Whether a transaction whose COMMIT got no answer was committed: its first log entry tells.
    async fn is_stored(&self, written: &[&Prepared]) -> Result<bool, sqlx::Error> {
        let Some((id, entry)) = written
            .iter()
            .find_map(|change| change.change.log.first().map(|entry| (change.id(), entry)))
        else {
            return Ok(false);
        };
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM saga_log
             WHERE booking_id = $1 AND seq = $2 AND at = $3 AND input = $4)",
        )
        .bind(id)
        .bind(entry.seq)
        .bind(entry.at)
        .bind(entry.input)
        .fetch_one(&self.pool)
        .await
    }
}

type Statement = sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bind_states(statement: Statement, states: States) -> Statement {
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
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "40P01" || code == "40001")
}

/// Locks the changes' bookings and marks those that moved since they were loaded. Of two changes of
/// one booking the second comes too late.
async fn find_conflicts(
    connection: &mut PgConnection,
    changes: &[Prepared],
    outcomes: &mut [Outcome],
) -> Result<(), sqlx::Error> {
    let loaded = changes.iter().zip(outcomes);
    let loaded: Vec<_> = loaded
        .filter_map(|(change, outcome)| Some((change.change.before.as_ref()?, outcome)))
        .collect();
    if loaded.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = loaded.iter().map(|(before, _)| before.order.id.0).collect();
    let rows: Vec<(Uuid, i64, i32)> = sqlx::query_as(
        "SELECT id, version, attempt FROM booking WHERE id = ANY($1)
         ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut stored: HashMap<Uuid, (i64, i32)> =
        rows.into_iter().map(|(id, version, attempt)| (id, (version, attempt))).collect();
    for (before, outcome) in loaded {
        let known = (before.version, attempt(before));
        if stored.remove(&before.order.id.0) != Some(known) {
            *outcome = Outcome::Conflict;
        }
    }
    Ok(())
}

/// Stores the requests' keys and marks the changes whose key is known already.
async fn store_keys(
    connection: &mut PgConnection,
    changes: &[Prepared],
    outcomes: &mut [Outcome],
) -> Result<(), sqlx::Error> {
    let keyed: Vec<(&Prepared, &RequestKey, &mut Outcome)> = changes
        .iter()
        .zip(outcomes)
        .filter_map(|(change, outcome)| Some((change, change.key.as_ref()?, outcome)))
        .collect();
    if keyed.is_empty() {
        return Ok(());
    }
    let users: Vec<Uuid> = keyed.iter().map(|(_, key, _)| key.user_id.0).collect();
    let names: Vec<&str> = keyed.iter().map(|(_, key, _)| key.key.as_str()).collect();
    let fingerprints: Vec<&[u8]> =
        keyed.iter().map(|(_, key, _)| key.fingerprint.as_slice()).collect();
    let bookings: Vec<Uuid> = keyed.iter().map(|(change, _, _)| change.id()).collect();
    // In order, so that two instances with the same keys do not deadlock.
    let stored: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO idempotency_key (user_id, key, fingerprint, booking_id, created_at)
         SELECT user_id, key, fingerprint, booking_id, now()
         FROM UNNEST($1::uuid[], $2::text[], $3::bytea[], $4::uuid[])
             AS new (user_id, key, fingerprint, booking_id)
         ORDER BY user_id, key
         ON CONFLICT ON CONSTRAINT idempotency_key_once DO NOTHING
         RETURNING booking_id",
    )
    .bind(&users)
    .bind(&names)
    .bind(fingerprints)
    .bind(bookings)
    .fetch_all(&mut *connection)
    .await?;
    if stored.len() == keyed.len() {
        return Ok(());
    }
    let rows: Vec<(Uuid, String, Vec<u8>, Uuid)> = sqlx::query_as(
        "SELECT user_id, key, fingerprint, booking_id FROM idempotency_key
         WHERE (user_id, key) IN (SELECT * FROM UNNEST($1::uuid[], $2::text[]))",
    )
    .bind(&users)
    .bind(&names)
    .fetch_all(connection)
    .await?;
    for (change, key, outcome) in keyed {
        if stored.contains(&change.id()) {
            continue;
        }
        let known = rows.iter().find(|(user, name, ..)| *user == key.user_id.0 && *name == key.key);
        *outcome = known.map_or(Outcome::Conflict, |(_, _, fingerprint, booking_id)| {
            let fingerprint = fingerprint.clone();
            Outcome::Known { booking_id: BookingId(*booking_id), fingerprint }
        });
    }
    Ok(())
}

async fn log(connection: &mut PgConnection, written: &[&Prepared]) -> Result<(), sqlx::Error> {
    let mut logs = Logs::default();
    for change in written {
        for entry in &change.change.log {
            logs.push(change.id(), entry);
        }
    }
    if logs.seq.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO saga_log (booking_id, seq, at, input, from_stage, to_stage, sent)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[],
             $6::text[], $7::text[])",
    )
    .bind(logs.booking_id)
    .bind(logs.seq)
    .bind(logs.at)
    .bind(logs.input)
    .bind(logs.from)
    .bind(logs.to)
    .bind(logs.sent)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the tickets of confirmed bookings known by their codes.
async fn store_tickets(
    connection: &mut PgConnection,
    written: &[&Prepared],
) -> Result<(), sqlx::Error> {
    let (mut codes, mut bookings) = (vec![], vec![]);
    for change in written {
        if let Stage::Confirmed { tickets, .. } = &change.change.after.stage {
            codes.extend(tickets.iter().map(|ticket| code_id(&ticket.code)));
            bookings.extend(tickets.iter().map(|_| change.id()));
        }
    }
    if codes.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO ticket (code, booking_id) SELECT * FROM UNNEST($1::uuid[], $2::uuid[])",
    )
    .bind(codes)
    .bind(bookings)
    .execute(connection)
    .await?;
    Ok(())
}

/// A ticket code as the 128 bits it is.
pub(super) fn code_id(code: &TicketCode) -> Uuid {
    // A code is 32 hex digits, which is a UUID's plain form.
    Uuid::try_parse(&code.to_string()).unwrap_or_default()
}
