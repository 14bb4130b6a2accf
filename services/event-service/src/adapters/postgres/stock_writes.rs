//! Writes what a batch of commands decided, in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use karcis_kernel::{EventId, TicketCode, Timestamp};
use karcis_messaging::{Outbox, Outgoing};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use super::holds::{StoredReservation, state};
use crate::{
    adapters::{kafka::facts::ticket_fact, metrics},
    application::ports::{HoldChange, StockChange, StoreError},
    domain::{Hold, Reservation},
};

/// See [`crate::application::ports::Stocks::commit`]. `changes` are in the order of their ids.
pub(super) async fn commit(
    pool: &PgPool,
    outbox: &Outbox,
    mut changes: Vec<StockChange>,
    at: Timestamp,
) -> Result<HashSet<EventId>, StoreError> {
    let all: HashSet<EventId> = changes.iter().map(|change| change.event_id).collect();
    let mut transaction = pool.begin().await?;
    let versions = lock(&mut transaction, &changes).await?;
    changes.retain(|change| versions.get(&change.event_id.0).copied() == change.loaded);
    move_stock(&mut transaction, &changes).await?;
    let (new, known): (Vec<_>, Vec<_>) = changes
        .iter()
        .flat_map(|change| change.holds.iter().map(|hold| (change.event_id, hold)))
        .partition(|(_, hold)| hold.before.is_none());
    if !add_holds(&mut transaction, &new, at).await? {
        // Somebody else stored the first word on a booking of an event that nobody can lock, as
        // there is none.
        transaction.rollback().await?;
        return Ok(all);
    }
    change_holds(&mut transaction, &known, at).await?;
    add_tickets(&mut transaction, new.iter().chain(&known)).await?;
    let replies = changes.iter().flat_map(|change| &change.replies);
    let messages: Vec<_> = replies.map(|reply| Outgoing::new(&ticket_fact(reply))).collect();
    outbox.insert(&mut transaction, &messages).await?;
    transaction.commit().await?;
    outbox.notify();
    let written: HashSet<EventId> = changes.iter().map(|change| change.event_id).collect();
    let conflicts: HashSet<EventId> = all.difference(&written).copied().collect();
    metrics::count_conflicts(conflicts.len());
    Ok(conflicts)
}

/// The stock versions of these events, which nobody else changes until the end.
async fn lock(
    connection: &mut PgConnection,
    changes: &[StockChange],
) -> Result<HashMap<Uuid, i64>, sqlx::Error> {
    const LOCK: &str = "
        SELECT event_id, stock_version FROM event
        WHERE event_id = ANY($1) ORDER BY event_id FOR NO KEY UPDATE";
    let ids: Vec<Uuid> = changes.iter().map(|change| change.event_id.0).collect();
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(LOCK).bind(ids).fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

async fn move_stock(
    connection: &mut PgConnection,
    changes: &[StockChange],
) -> Result<(), sqlx::Error> {
    const UPDATE: &str = "
        WITH moved AS (
            UPDATE ticket_type SET held = new.held, sold = new.sold
            FROM UNNEST($1::uuid[], $2::integer[], $3::integer[])
                AS new (ticket_type_id, held, sold)
            WHERE ticket_type.ticket_type_id = new.ticket_type_id
        )
        UPDATE event
        SET stock_version = stock_version + 1, booked = booked OR new.first_booked
        FROM UNNEST($4::uuid[], $5::boolean[]) AS new (event_id, first_booked)
        WHERE event.event_id = new.event_id";
    let touched = || changes.iter().filter(|change| !change.holds.is_empty());
    if touched().next().is_none() {
        return Ok(());
    }
    let stocks = || touched().flat_map(|change| &change.stocks);
    sqlx::query(UPDATE)
        .bind(stocks().map(|(id, _)| id.0).collect::<Vec<Uuid>>())
        .bind(stocks().map(|(_, stock)| stock.held() as i32).collect::<Vec<_>>())
        .bind(stocks().map(|(_, stock)| stock.sold() as i32).collect::<Vec<_>>())
        .bind(touched().map(|change| change.event_id.0).collect::<Vec<Uuid>>())
        .bind(touched().map(|change| change.first_booked).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Stores the first word on bookings. `false` if one of them has a hold already.
async fn add_holds(
    connection: &mut PgConnection,
    new: &[(EventId, &HoldChange)],
    at: Timestamp,
) -> Result<bool, sqlx::Error> {
    const INSERT: &str = "
        INSERT INTO hold (booking_id, event_id, user_id, state, reason, reservation, created_at,
                          changed_at)
        SELECT booking_id, event_id, user_id, state, reason, reservation, $7, $7
        FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[])
            AS new (booking_id, event_id, user_id, state, reason, reservation)
        ON CONFLICT (booking_id) DO NOTHING";
    if new.is_empty() {
        return Ok(true);
    }
    let reservations = || new.iter().map(|(_, hold)| reservation(&hold.after));
    let added = sqlx::query(INSERT)
        .bind(new.iter().map(|(_, hold)| hold.booking_id.0).collect::<Vec<Uuid>>())
        .bind(new.iter().map(|(event_id, _)| event_id.0).collect::<Vec<Uuid>>())
        .bind(reservations().map(|r| r.map(|r| r.user_id.0)).collect::<Vec<Option<Uuid>>>())
        .bind(new.iter().map(|(_, hold)| state(&hold.after).0).collect::<Vec<_>>())
        .bind(new.iter().map(|(_, hold)| state(&hold.after).1).collect::<Vec<_>>())
        .bind(reservations().map(|r| r.map(|r| Json(StoredReservation::of(r)))).collect::<Vec<_>>())
        .bind(at)
        .execute(connection)
        .await?;
    Ok(added.rows_affected() == new.len() as u64)
}

/// Moves holds on: only their state ever changes. A statement per state, as a join with the new
/// states would read the whole table.
async fn change_holds(
    connection: &mut PgConnection,
    known: &[(EventId, &HoldChange)],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    const UPDATE: &str = "UPDATE hold SET state = $2, changed_at = $3 WHERE booking_id = ANY($1)";
    let mut by_state: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    for (_, hold) in known {
        by_state.entry(state(&hold.after).0).or_default().push(hold.booking_id.0);
    }
    for (state, bookings) in by_state {
        let update = sqlx::query(UPDATE).bind(bookings).bind(state).bind(at);
        update.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn add_tickets<'a>(
    connection: &mut PgConnection,
    holds: impl Iterator<Item = &'a (EventId, &'a HoldChange)>,
) -> Result<(), sqlx::Error> {
    const INSERT: &str = "
        INSERT INTO ticket (code, booking_id, ticket_type_id, place)
        SELECT code, booking_id, ticket_type_id, place
        FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[])
            AS new (code, booking_id, ticket_type_id, place)";
    let (mut codes, mut bookings, mut types, mut places) = (vec![], vec![], vec![], vec![]);
    for (_, hold) in holds {
        let (Hold::Sold(_, tickets), false) =
            (&hold.after, matches!(hold.before, Some(Hold::Sold(..))))
        else {
            continue;
        };
        for (ticket, place) in tickets.iter().zip(1_i32..) {
            codes.push(bits(&ticket.code)?);
            bookings.push(hold.booking_id.0);
            types.push(ticket.ticket_type_id.0);
            places.push(place);
        }
    }
    if codes.is_empty() {
        return Ok(());
    }
    sqlx::query(INSERT)
        .bind(codes)
        .bind(bookings)
        .bind(types)
        .bind(places)
        .execute(connection)
        .await?;
    Ok(())
}

fn bits(code: &TicketCode) -> Result<Uuid, sqlx::Error> {
    Uuid::parse_str(&code.to_string()).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn reservation(hold: &Hold) -> Option<&Reservation> {
    match hold {
        Hold::Held(reservation) | Hold::Sold(reservation, _) => Some(reservation),
        Hold::Released | Hold::Rejected(_) => None,
    }
}
