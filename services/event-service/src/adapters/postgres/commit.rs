//! Writes what was decided, each time in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use karcis_database::{Connection, StoreError};
use karcis_kernel::{Bug, EventId, Timestamp};
use karcis_messaging::Outgoing;
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    PgEvents,
    holds::{StoredReservation, state},
    sales_days,
};
use crate::{
    adapters::metrics,
    application::{Announcement, HoldChange, Message, StockChange},
    domain::{Hold, Reservation},
};

/// Writes what a batch of commands decided. `changes` are in the order of their ids. Returns the
/// events that another instance or request has changed.
pub(super) async fn commit(
    store: &PgEvents,
    mut changes: Vec<StockChange>,
    at: Timestamp,
) -> Result<HashSet<EventId>, StoreError> {
    let all: HashSet<EventId> = changes.iter().map(|change| change.event_id).collect();
    if Bug::PublishedBeforeCommit.is_planted() {
        let mut own = store.pool.begin_batch().await?;
        store.outbox.insert(&mut own, &outgoing(store, &changes)).await?;
        own.commit().await?;
        store.outbox.notify();
    }
    let mut transaction = store.pool.begin_batch().await?;
    let versions = lock(&mut transaction, &changes).await?;
    let is_unchanged = |change: &StockChange| {
        let version = versions.get(&change.event_id.0).copied().unwrap_or_default();
        let is_free = version.is_some_and(|version| version >= 0);
        version == change.loaded || is_free && Bug::VersionCheckSkipped.is_planted()
    };
    changes.retain(is_unchanged);
    write_stock(&mut transaction, &changes).await?;
    let (new, known): (Vec<_>, Vec<_>) = changes
        .iter()
        .flat_map(|change| change.holds.iter().map(|hold| (change.event_id, hold)))
        .partition(|(_, hold)| hold.before.is_none());
    if !add_holds(&mut transaction, &new, at).await? {
        // Another instance stored the first hold of a booking whose event does not exist, so that
        // nobody can lock it.
        transaction.rollback().await?;
        return Ok(all);
    }
    change_holds(&mut transaction, &known, at).await?;
    add_tickets(&mut transaction, new.iter().chain(&known)).await?;
    sales_days::count(&mut transaction, &changes, at).await?;
    store.outbox.insert(&mut transaction, &outgoing(store, &changes)).await?;
    transaction.commit().await?;
    store.outbox.notify();
    let written: HashSet<EventId> = changes.iter().map(|change| change.event_id).collect();
    let conflicts: HashSet<EventId> = all.difference(&written).copied().collect();
    metrics::count_conflicts(conflicts.len());
    Ok(conflicts)
}

/// What these changes publish.
fn outgoing(store: &PgEvents, changes: &[StockChange]) -> Vec<Outgoing> {
    let messages = changes.iter().flat_map(StockChange::messages);
    messages.map(|message| (store.encode)(&message)).collect()
}

/// Announces the events that have a next time, unless another instance has announced
/// them meanwhile.
pub(super) async fn announce(
    store: &PgEvents,
    announcements: &[Announcement],
) -> Result<(), StoreError> {
    const LOCK: &str = "
        SELECT event_id, announced FROM event
        WHERE event_id = ANY($1) ORDER BY event_id FOR NO KEY UPDATE SKIP LOCKED";
    const UPDATE: &str = "
        UPDATE event SET announced = event.announced + 1, announce_at = new.announce_at
        FROM UNNEST($1::uuid[], $2::timestamptz[]) AS new (event_id, announce_at)
        WHERE event.event_id = new.event_id";
    let mut transaction = store.pool.begin_batch().await?;
    let ids: Vec<Uuid> = announcements.iter().map(|one| one.event.id.0).collect();
    let locked: Vec<(Uuid, i32)> =
        sqlx::query_as(LOCK).bind(ids).fetch_all(&mut *transaction).await?;
    let announced: HashMap<Uuid, i32> = locked.into_iter().collect();
    let still = |one: &&Announcement| {
        announced.get(&one.event.id.0).is_some_and(|n| n.unsigned_abs() == one.event.announced)
    };
    let due: Vec<&Announcement> = announcements.iter().filter(still).collect();
    sqlx::query(UPDATE)
        .bind(due.iter().map(|one| one.event.id.0).collect::<Vec<Uuid>>())
        .bind(due.iter().map(|one| one.next).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
    let again = due.iter().filter(|one| one.next.is_some());
    let messages: Vec<_> =
        again.map(|one| (store.encode)(&Message::StillCancelled(&one.event))).collect();
    store.outbox.insert(&mut transaction, &messages).await?;
    transaction.commit().await?;
    store.outbox.notify();
    Ok(())
}

/// The stock versions of these events, which nobody else changes until the transaction ends. An event
/// that others have locked has the version `Some(-1)`, which is nobody's; one that does not exist is left
/// out.
async fn lock(
    connection: &mut Connection,
    changes: &[StockChange],
) -> Result<HashMap<Uuid, Option<i64>>, sqlx::Error> {
    const LOCK: &str = "
        SELECT event_id, stock_version FROM event
        WHERE event_id = ANY($1) ORDER BY event_id FOR NO KEY UPDATE SKIP LOCKED";
    const EXISTING: &str = "SELECT event_id FROM event WHERE event_id = ANY($1)";
    let mut ids: Vec<Uuid> = changes.iter().map(|change| change.event_id.0).collect();
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as(LOCK).bind(&ids).fetch_all(&mut *connection).await?;
    let mut versions: HashMap<Uuid, Option<i64>> =
        rows.into_iter().map(|(id, version)| (id, Some(version))).collect();
    ids.retain(|id| !versions.contains_key(id));
    if !ids.is_empty() {
        let locked: Vec<Uuid> =
            sqlx::query_scalar(EXISTING).bind(ids).fetch_all(connection).await?;
        versions.extend(locked.into_iter().map(|id| (id, Some(-1))));
    }
    Ok(versions)
}

async fn write_stock(
    connection: &mut Connection,
    changes: &[StockChange],
) -> Result<(), sqlx::Error> {
    const UPDATE: &str = "
        WITH changed AS (
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

/// Stores the first holds of bookings. `false`: one of them has a hold already.
async fn add_holds(
    connection: &mut Connection,
    new: &[(EventId, &HoldChange)],
    at: Timestamp,
) -> Result<bool, sqlx::Error> {
    const INSERT: &str = "
        INSERT INTO hold (booking_id, event_id, user_id, state, reason, reservation, created_at,
                          changed_at, tickets_version)
        SELECT booking_id, event_id, user_id, state, reason, reservation, $7, $7,
               CASE state WHEN 'sold'
                   THEN (SELECT stock_version FROM event WHERE event.event_id = new.event_id)
                   ELSE 0 END
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

/// Only the state of a hold ever changes, and what follows from it. There is a statement for each state,
/// because a join with the new states would read the whole table.
async fn change_holds(
    connection: &mut Connection,
    known: &[(EventId, &HoldChange)],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    const UPDATE: &str = "UPDATE hold SET state = $2, changed_at = $3 WHERE booking_id = ANY($1)";
    // The event's row has its new version already.
    const UPDATE_WITH_TICKETS: &str = "
        UPDATE hold SET state = $2, changed_at = $3, tickets_version =
            (SELECT stock_version FROM event WHERE event.event_id = hold.event_id)
        WHERE booking_id = ANY($1)";
    let mut by_state: BTreeMap<(&str, bool), Vec<Uuid>> = BTreeMap::new();
    for (_, hold) in known {
        let with_tickets = [hold.before.as_ref(), Some(&hold.after)];
        let with_tickets = with_tickets.iter().any(|it| matches!(it, Some(Hold::Sold(..))));
        let key = (state(&hold.after).0, with_tickets);
        by_state.entry(key).or_default().push(hold.booking_id.0);
    }
    for ((state, with_tickets), bookings) in by_state {
        let update = if with_tickets { UPDATE_WITH_TICKETS } else { UPDATE };
        let update = sqlx::query(update).bind(bookings).bind(state).bind(at);
        update.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn add_tickets<'a>(
    connection: &mut Connection,
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
            codes.push(Uuid::from_u128(ticket.code.bits()));
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

fn reservation(hold: &Hold) -> Option<&Reservation> {
    match hold {
        Hold::Held(reservation) | Hold::Sold(reservation, _) => Some(reservation),
        Hold::Released | Hold::Rejected(_) => None,
    }
}
