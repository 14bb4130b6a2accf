//! What is decided on: the stock for a whole batch of commands in a few statements, and the cancelled
//! events that are due.

use std::collections::{BTreeSet, HashMap};

use karcis_database::{Connection, Loaded, Pool, StoreError, UnreadableRow, read_row};
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use sqlx::Row as _;
use uuid::Uuid;

use super::{
    holds::{HOLD, HoldRow, TicketRow},
    rows::{select_events, with_ticket_types},
};
use crate::{
    application::{BuyerCount, CancelledEvent, StockSnapshot},
    domain::{CancelReason, Command, Event, Hold},
};

/// Everything that these commands are decided on.
pub(super) async fn load(pool: &Pool, commands: &[&Command]) -> Result<StockSnapshot, StoreError> {
    let events: BTreeSet<Uuid> = commands.iter().map(|c| c.hold().event_id.0).collect();
    let bookings: BTreeSet<Uuid> = commands.iter().map(|c| c.hold().booking_id.0).collect();
    let connection = &mut pool.acquire().await?;
    // Read events first. If a hold changes later, the event's stock version rises, and the commit
    // sees it.
    let events = load_events(connection, Vec::from_iter(events)).await?;
    let holds = load_holds(connection, Vec::from_iter(bookings)).await?;
    let buyers = count_for_buyers(connection, commands).await?;
    let unreadable = events.unreadable.into_iter().chain(holds.unreadable);
    Ok(StockSnapshot {
        events: events.found.into_iter().map(|(event, at)| (event.id, (event, at))).collect(),
        holds: holds.found.into_iter().collect(),
        buyers,
        unreadable: unreadable.map(|row| (row.id, row)).collect(),
    })
}

async fn load_events(
    connection: &mut Connection,
    ids: Vec<Uuid>,
) -> Result<Loaded<(Event, i64)>, StoreError> {
    const SELECT: &str = select_events!("WHERE event_id = ANY($1)");
    let rows = sqlx::query(SELECT).bind(ids).fetch_all(&mut *connection).await?;
    with_ticket_types(connection, &rows).await
}

async fn load_holds(
    connection: &mut Connection,
    bookings: Vec<Uuid>,
) -> Result<Loaded<(BookingId, (EventId, Hold))>, StoreError> {
    // Of a released hold, the reservation no longer matters.
    const SELECT: &str = "
        SELECT booking_id, event_id, user_id, state, reason,
               CASE WHEN state IN ('held', 'sold') THEN reservation END AS reservation
        FROM hold WHERE booking_id = ANY($1)";
    let rows = sqlx::query(SELECT).bind(bookings).fetch_all(&mut *connection).await?;
    let rows: Vec<Result<HoldRow, UnreadableRow>> =
        rows.iter().map(|row| read_row(HOLD, "booking_id", row, Ok::<_, String>)).collect();
    let sold = rows.iter().flatten().filter(|row| row.is_sold()).map(HoldRow::booking_id);
    let mut tickets = load_tickets(connection, sold.collect()).await?;
    Ok(rows.into_iter().map(|row| row?.hold(&mut tickets)).collect())
}

async fn load_tickets(
    connection: &mut Connection,
    bookings: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<TicketRow>>, StoreError> {
    const SELECT: &str = "
        SELECT code, booking_id, ticket_type_id FROM ticket
        WHERE booking_id = ANY($1) ORDER BY booking_id, place";
    let mut tickets: HashMap<Uuid, Vec<TicketRow>> = HashMap::new();
    if bookings.is_empty() {
        return Ok(tickets);
    }
    let rows: Vec<TicketRow> = sqlx::query_as(SELECT).bind(bookings).fetch_all(connection).await?;
    for row in rows {
        tickets.entry(row.booking_id).or_default().push(row);
    }
    Ok(tickets)
}

/// What the buyers who want to reserve have of the events. Only what is held or sold now is read,
/// by the index `hold_taken`, and seats are added up only where the event limits them.
async fn count_for_buyers(
    connection: &mut Connection,
    commands: &[&Command],
) -> Result<HashMap<(EventId, UserId), BuyerCount>, StoreError> {
    // A join would read and sort all holds of a hot event; this looks up each buyer.
    const COUNT: &str = "
        SELECT buyer.event_id, buyer.user_id, held.number, taken.seats
        FROM UNNEST($1::uuid[], $2::uuid[]) AS buyer (event_id, user_id)
        CROSS JOIN LATERAL (
            SELECT count(*) AS number FROM hold
            WHERE hold.event_id = buyer.event_id AND hold.user_id = buyer.user_id
              AND hold.state = 'held'
        ) AS held
        LEFT JOIN event ON event.event_id = buyer.event_id AND event.max_per_buyer IS NOT NULL
        LEFT JOIN LATERAL (
            SELECT sum((item ->> 'quantity')::bigint)::bigint AS seats
            FROM hold, jsonb_array_elements(hold.reservation -> 'items') AS item
            WHERE hold.event_id = event.event_id AND hold.user_id = buyer.user_id
              AND hold.state IN ('held', 'sold')
        ) AS taken ON true";
    let buyers: BTreeSet<(Uuid, Uuid)> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Reserve(reserve) => Some((reserve.hold.event_id.0, reserve.user_id.0)),
            Command::Confirm(_) | Command::Release(_) => None,
        })
        .collect();
    if buyers.is_empty() {
        return Ok(HashMap::new());
    }
    let (events, users): (Vec<Uuid>, Vec<Uuid>) = buyers.into_iter().unzip();
    let rows: Vec<(Uuid, Uuid, i64, Option<i64>)> =
        sqlx::query_as(COUNT).bind(events).bind(users).fetch_all(connection).await?;
    let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let of_buyer = |(event, user, unpaid, seats): (Uuid, Uuid, i64, Option<i64>)| {
        let counted = BuyerCount { unpaid: count(unpaid), seats: count(seats.unwrap_or(0)) };
        ((EventId(event), UserId(user)), counted)
    };
    Ok(rows.into_iter().map(of_buyer).collect())
}

/// How many seats these commands' bookings hold or have bought; none if absent.
pub(super) async fn seats(
    pool: &Pool,
    commands: &[&Command],
) -> Result<HashMap<BookingId, usize>, StoreError> {
    // What cannot be read counts for nothing here; it is reported where it is loaded.
    const SELECT: &str = "
        SELECT booking_id, (
            SELECT COALESCE(sum(CASE jsonb_typeof(item -> 'quantity')
                WHEN 'number' THEN (item -> 'quantity')::bigint END), 0)::bigint
            FROM jsonb_array_elements(CASE jsonb_typeof(reservation -> 'items')
                WHEN 'array' THEN reservation -> 'items' END) AS item)
        FROM hold WHERE booking_id = ANY($1) AND state IN ('held', 'sold')";
    let bookings: Vec<Uuid> = commands.iter().map(|c| c.hold().booking_id.0).collect();
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(SELECT).bind(bookings).fetch_all(pool).await?;
    let seats = |seats| usize::try_from(seats).unwrap_or_default();
    Ok(rows.into_iter().map(|(booking, its)| (BookingId(booking), seats(its))).collect())
}

/// The cancelled events that are due to be announced again at `at`, the longest waiting first. What
/// cannot be read is left out: it does not hold up the others.
pub(super) async fn due_announcements(
    pool: &Pool,
    at: Timestamp,
    limit: u16,
) -> Result<Vec<CancelledEvent>, StoreError> {
    const SELECT: &str = "
        SELECT event_id, cancel_reason, announced, announce_at,
               (SELECT COALESCE(sum(held + sold), 0) FROM ticket_type
                WHERE ticket_type.event_id = event.event_id) AS taken
        FROM event
        WHERE announce_at <= $1 AND cancel_reason IS NOT NULL
          AND ($2::timestamptz IS NULL OR (announce_at, event_id) > ($2, $3))
        ORDER BY announce_at, event_id LIMIT $4";
    let (mut due, mut after) = (vec![], None::<(Timestamp, Uuid)>);
    loop {
        let rows = sqlx::query(SELECT)
            .bind(at)
            .bind(after.map(|(announce_at, _)| announce_at))
            .bind(after.map(|(_, id)| id))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await?;
        due.extend(Loaded::read("event", "event_id", &rows, cancelled_event).found);
        let is_full = rows.len() == usize::from(limit);
        let Some(last) = rows.last().filter(|_| is_full && due.is_empty()) else {
            return Ok(due);
        };
        after = Some((last.try_get("announce_at")?, last.try_get("event_id")?));
    }
}

fn cancelled_event(row: DueAnnouncementRow) -> Result<CancelledEvent, String> {
    Ok(CancelledEvent {
        id: EventId(row.event_id),
        reason: CancelReason::stored(row.cancel_reason).map_err(|why| why.to_string())?,
        announced: row.announced.unsigned_abs(),
        taken: row.taken.unsigned_abs(),
    })
}

#[derive(sqlx::FromRow)]
struct DueAnnouncementRow {
    event_id: Uuid,
    cancel_reason: String,
    announced: i32,
    taken: i64,
}
