//! Table `ticket` at the door: one use of each ticket, under its event's lock, and lists of an event's tickets.

use async_trait::async_trait;
use karcis_database::{Pool, StoreError, Transaction};
use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId, Timestamp, UserId};
use uuid::Uuid;

use super::{PgEvents, queries::LIMIT_LIST};
use crate::{
    application::{ListedTicket, LockedTicket, TicketPosition},
    domain::{CheckIn, DoorTicket, Gate, door_status},
};

/// A query for the tickets that `$found` finds, with their positions, in this order; $5 is how many.
macro_rules! select_tickets {
    ($found:literal, $order:literal) => {
        concat!(
            "SELECT found.version, booking_id, found.place, code, ticket.ticket_type_id, ticket_type.name,
                    hold.state = 'sold' AND event.stage <> 'cancelled' AS is_good,
                    ticket.used_at, ticket.used_by, ticket.gate, ticket.check_in_id
             FROM (",
            $found,
            ") AS found
             JOIN ticket USING (code, booking_id, place)
             JOIN hold USING (booking_id)
             JOIN ticket_type ON ticket_type.ticket_type_id = ticket.ticket_type_id
             JOIN event ON event.event_id = hold.event_id
             ORDER BY ",
            $order,
            " LIMIT $5"
        )
    };
}

/// The ticket, whose event nobody else changes until it is saved or dropped.
pub(super) async fn lock(
    store: &PgEvents,
    code: &TicketCode,
) -> Result<Option<Box<dyn LockedTicket>>, StoreError> {
    const EVENT: &str = "
        SELECT hold.event_id FROM ticket JOIN hold ON hold.booking_id = ticket.booking_id
        WHERE ticket.code = $1";
    const LOCK: &str = "
        SELECT organiser_id, stage = 'cancelled' FROM event WHERE event_id = $1 FOR NO KEY UPDATE";
    const SELECT: &str = "
        SELECT ticket.booking_id, ticket.ticket_type_id, ticket_type.name,
               hold.state = 'sold' AS is_sold,
               ticket.used_at, ticket.used_by, ticket.gate, ticket.check_in_id
        FROM ticket
        JOIN hold ON hold.booking_id = ticket.booking_id
        JOIN ticket_type ON ticket_type.ticket_type_id = ticket.ticket_type_id
        WHERE ticket.code = $1";
    let id = Uuid::from_u128(code.bits());
    let mut transaction = store.pool.begin().await?;
    let event = sqlx::query_scalar(EVENT).bind(id).fetch_optional(&mut *transaction).await?;
    let Some(event_id): Option<Uuid> = event else { return Ok(None) };
    let locked = sqlx::query_as(LOCK).bind(event_id).fetch_optional(&mut *transaction).await?;
    let Some((organiser_id, event_is_cancelled)): Option<(Uuid, bool)> = locked else {
        return Ok(None);
    };
    // A statement of its own: one that waited for the event's lock would still see the ticket as it was before.
    let row = sqlx::query_as(SELECT).bind(id).fetch_optional(&mut *transaction).await?;
    Ok(row.map(|row: DoorTicketRow| {
        let ticket = DoorTicket {
            code: code.clone(),
            event_id: EventId(event_id),
            organiser_id: UserId(organiser_id),
            event_is_cancelled,
            ticket_type_id: TicketTypeId(row.ticket_type_id),
            name: row.name,
            booking_id: BookingId(row.booking_id),
            is_sold: row.is_sold,
            used: row.check_in.used(),
        };
        Box::new(LockedPgTicket { transaction, ticket }) as Box<dyn LockedTicket>
    }))
}

/// Dropped, the transaction is rolled back.
struct LockedPgTicket {
    transaction: Transaction,
    ticket: DoorTicket,
}

#[async_trait]
impl LockedTicket for LockedPgTicket {
    fn ticket(&self) -> &DoorTicket {
        &self.ticket
    }

    async fn save(mut self: Box<Self>, ticket: &DoorTicket) -> Result<(), StoreError> {
        const UPDATE: &str = "
            WITH changed AS (
                UPDATE event SET stock_version = stock_version + 1 WHERE event_id = $1
                RETURNING stock_version
            ), counted AS (
                UPDATE ticket_type SET used = used + $2 WHERE ticket_type_id = $3
            )
            UPDATE ticket
            SET used_at = $5, used_by = $6, gate = $7, check_in_id = $8, event_id = $1,
                door_version = changed.stock_version
            FROM changed WHERE code = $4";
        let used = ticket.used.as_ref();
        let more = i32::from(used.is_some()) - i32::from(self.ticket.used.is_some());
        sqlx::query(UPDATE)
            .bind(ticket.event_id.0)
            .bind(more)
            .bind(ticket.ticket_type_id.0)
            .bind(Uuid::from_u128(ticket.code.bits()))
            .bind(used.map(|used| used.at))
            .bind(used.and_then(|used| used.by).map(|by| by.0))
            .bind(used.and_then(|used| used.gate.as_ref()).map(Gate::as_str))
            .bind(used.and_then(|used| used.id))
            .execute(&mut *self.transaction)
            .await?;
        Ok(self.transaction.commit().await?)
    }
}

/// The tickets of an event that were sold, became void or were at a door after `after`, in that order. A version
/// is of one commit, and they land in their order, as each holds the event's lock: none comes behind `after` later.
pub(super) async fn changed(
    pool: &Pool,
    event_id: EventId,
    after: TicketPosition,
    limit: u16,
) -> Result<Vec<ListedTicket>, StoreError> {
    const SELECT: &str = select_tickets!(
        "(SELECT hold.tickets_version AS version, hold.booking_id, place, code
          FROM hold JOIN ticket ON ticket.booking_id = hold.booking_id
          WHERE hold.event_id = $1 AND (state = 'sold' OR tickets_version > 0)
            AND (tickets_version, hold.booking_id) >= ($2, $3)
            AND ((tickets_version, hold.booking_id) > ($2, $3) OR place > $4)
            AND COALESCE(door_version, 0) <= tickets_version
          ORDER BY tickets_version, hold.booking_id, place LIMIT $5)
         UNION ALL
         (SELECT door_version AS version, ticket.booking_id, place, code
          FROM ticket JOIN hold ON hold.booking_id = ticket.booking_id
          WHERE ticket.event_id = $1 AND (door_version, ticket.booking_id, place) > ($2, $3, $4)
            AND door_version > tickets_version
          ORDER BY door_version, ticket.booking_id, place LIMIT $5)",
        "version, booking_id, place"
    );
    let query = sqlx::query_as(SELECT)
        .bind(event_id.0)
        .bind(after.version)
        .bind(after.booking_id.0)
        .bind(after.place)
        .bind(i64::from(limit));
    let rows: Vec<ListedTicketRow> = query.fetch_all(pool).await?;
    Ok(rows.into_iter().map(ListedTicketRow::ticket).collect())
}

/// The tickets of an event that are sold now, those sold last first, which fit the text. The database gives up a
/// search after 1 s.
pub(super) async fn sold(
    pool: &Pool,
    event_id: EventId,
    text: Option<&str>,
    before: TicketPosition,
    limit: u16,
) -> Result<Vec<ListedTicket>, StoreError> {
    const SELECT: &str = select_tickets!(
        "SELECT tickets_version AS version, hold.booking_id, ticket.place, code
         FROM hold
         JOIN ticket ON ticket.booking_id = hold.booking_id
         JOIN ticket_type ON ticket_type.ticket_type_id = ticket.ticket_type_id
         WHERE hold.event_id = $1 AND state = 'sold'
           AND (tickets_version, hold.booking_id) <= ($2, $3)
           AND ((tickets_version, hold.booking_id) < ($2, $3) OR ticket.place < $4)
           AND ($6::text IS NULL OR strpos(folded(ticket_type.name), folded($6)) > 0
                OR code BETWEEN $7 AND $8 OR hold.booking_id BETWEEN $7 AND $8)
         ORDER BY tickets_version DESC, hold.booking_id DESC, ticket.place DESC LIMIT $5",
        "version DESC, booking_id DESC, place DESC"
    );
    let mut transaction = pool.begin().await?;
    if text.is_some() {
        sqlx::query(LIMIT_LIST).execute(&mut *transaction).await?;
    }
    let (first, last) = text.and_then(beginning_with).unzip();
    let query = sqlx::query_as(SELECT)
        .bind(event_id.0)
        .bind(before.version)
        .bind(before.booking_id.0)
        .bind(before.place)
        .bind(i64::from(limit))
        .bind(text)
        .bind(first)
        .bind(last);
    let rows: Vec<ListedTicketRow> = query.fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(rows.into_iter().map(ListedTicketRow::ticket).collect())
}

/// The first and the last id or code with these first digits; `None`: these are none.
fn beginning_with(text: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let padded = |with: &str| {
        let padding = with.repeat(32_usize.checked_sub(digits.len())?);
        u128::from_str_radix(&(digits.clone() + &padding), 16).ok().map(Uuid::from_u128)
    };
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    if is_number { padded("0").zip(padded("f")) } else { None }
}

#[derive(sqlx::FromRow)]
struct ListedTicketRow {
    version: i64,
    booking_id: Uuid,
    place: i32,
    code: Uuid,
    ticket_type_id: Uuid,
    name: String,
    is_good: bool,
    #[sqlx(flatten)]
    check_in: CheckInRow,
}

impl ListedTicketRow {
    fn ticket(self) -> ListedTicket {
        let used = self.check_in.used();
        ListedTicket {
            position: TicketPosition {
                version: self.version,
                booking_id: BookingId(self.booking_id),
                place: self.place,
            },
            code: TicketCode::from_bits(self.code.as_u128()),
            ticket_type_id: TicketTypeId(self.ticket_type_id),
            name: self.name,
            status: door_status(self.is_good, used.as_ref()),
            used,
        }
    }
}

#[derive(sqlx::FromRow)]
struct DoorTicketRow {
    booking_id: Uuid,
    ticket_type_id: Uuid,
    name: String,
    is_sold: bool,
    #[sqlx(flatten)]
    check_in: CheckInRow,
}

/// What a ticket's row says of its use.
#[derive(sqlx::FromRow)]
struct CheckInRow {
    used_at: Option<Timestamp>,
    used_by: Option<Uuid>,
    gate: Option<String>,
    check_in_id: Option<Uuid>,
}

impl CheckInRow {
    fn used(self) -> Option<CheckIn> {
        Some(CheckIn {
            at: self.used_at?,
            by: self.used_by.map(UserId),
            gate: self.gate.and_then(|gate| Gate::stored(gate).ok()),
            id: self.check_in_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_begin_a_code_or_an_id() {
        let range = |first: u128, last: u128| Some((Uuid::from_u128(first), Uuid::from_u128(last)));
        assert_eq!(beginning_with("a-B "), range(0xab << 120, (0xac << 120) - 1));
        assert_eq!(beginning_with(&"0".repeat(31)), range(0, 15));
        assert_eq!(beginning_with(&"f".repeat(32)), range(u128::MAX, u128::MAX));
        for none in ["", " - ", "VIP", "+a", &"0".repeat(33)] {
            assert_eq!(beginning_with(none), None, "{none:?}");
        }
    }
}
