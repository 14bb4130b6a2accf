//! What is looked at: events and tickets.

use karcis_database::{Loaded, StoreError};
use karcis_kernel::{EventId, TicketCode, Timestamp};
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::{
    holds::{HOLD, IssuedTicketRow},
    rows::{select_events, with_ticket_types},
};
use crate::{
    application::{EventFilter, Kind},
    domain::{Event, IssuedTicket},
};

/// The event with this id.
pub(super) async fn event(pool: &PgPool, id: EventId) -> Result<Option<Event>, StoreError> {
    const SELECT: &str = select_events!("WHERE event_id = $1");
    let mut connection = pool.acquire().await?;
    let row = sqlx::query(SELECT).bind(id.0).fetch_optional(&mut *connection).await?;
    let event = with_ticket_types(&mut connection, row.as_slice()).await?.one()?;
    Ok(event.map(|(event, _)| event))
}

/// The events of a page, soonest first, without unreadable ones.
pub(super) async fn events(
    pool: &PgPool,
    filter: &EventFilter,
    at: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    const SELECT: &str = select_events!(
        "WHERE stage = $1
           AND ($2::uuid IS NULL OR organiser_id = $2)
           AND ($3::timestamptz IS NULL OR over_at > $3)
           AND ($4::timestamptz IS NULL OR over_at <= $4)
           AND ($5::text IS NULL OR title ILIKE $5 OR venue ILIKE $5)
           AND ($6::timestamptz IS NULL OR starts_at >= $6)
           AND ($7::timestamptz IS NULL OR starts_at <= $7)
           AND ($8::timestamptz IS NULL OR (starts_at, event_id) > ($8, $9))
         ORDER BY starts_at, event_id
         LIMIT $10"
    );
    let (stage, organiser, over_after, over_until) = match filter.kind {
        Kind::DraftsOf(organiser) => ("draft", organiser, None, None),
        Kind::Upcoming => ("published", None, Some(at), None),
        Kind::Cancelled => ("cancelled", None, None, None),
        Kind::Ended => ("published", None, None, Some(at)),
    };
    let mut connection = pool.acquire().await?;
    let limit = usize::from(filter.limit);
    let (mut found, mut after) = (vec![], filter.after.map(|(starts_at, id)| (starts_at, id.0)));
    // As long as unreadable rows leave a page unfilled, the next rows are read.
    loop {
        let rows = sqlx::query(SELECT)
            .bind(stage)
            .bind(organiser.map(|user| user.0))
            .bind(over_after)
            .bind(over_until)
            .bind(filter.text.as_deref().map(containing))
            .bind(filter.from)
            .bind(filter.to)
            .bind(after.map(|(starts_at, _)| starts_at))
            .bind(after.map(|(_, id)| id))
            .bind(i64::from(filter.limit))
            .fetch_all(&mut *connection)
            .await?;
        let events = with_ticket_types(&mut connection, &rows).await?.found;
        found.extend(events.into_iter().map(|(event, _)| event));
        let Some(last) = rows.last().filter(|_| rows.len() == limit && found.len() < limit) else {
            found.truncate(limit);
            return Ok(found);
        };
        after = Some((last.try_get("starts_at")?, last.try_get("event_id")?));
    }
}

/// The ticket with this code, with what its hold and its event say of it.
pub(super) async fn ticket(
    pool: &PgPool,
    code: &TicketCode,
) -> Result<Option<IssuedTicket>, StoreError> {
    const SELECT: &str = "
        SELECT ticket.booking_id, ticket.ticket_type_id, ticket.used_at IS NOT NULL AS is_used,
               hold.event_id, hold.state, hold.reservation,
               COALESCE(event.stage = 'cancelled', false) AS event_is_cancelled
        FROM ticket
        JOIN hold ON hold.booking_id = ticket.booking_id
        LEFT JOIN event ON event.event_id = hold.event_id
        WHERE ticket.code = $1";
    let code = Uuid::from_u128(code.bits());
    let row = sqlx::query(SELECT).bind(code).fetch_optional(pool).await?;
    Loaded::read(HOLD, "booking_id", row.as_slice(), IssuedTicketRow::ticket).one()
}

/// The ILIKE pattern for texts that contain this one. Its wildcards stand for themselves.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(containing(r"100%_a\b"), r"%100\%\_a\\b%");
    }
}
