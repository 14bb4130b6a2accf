//! What is looked at: events and tickets.

use karcis_database::{Loaded, Pool, StoreError};
use karcis_kernel::{EventId, TicketCode, Timestamp};
use sqlx::Row as _;
use uuid::Uuid;

use super::{
    holds::{HOLD, IssuedTicketRow},
    rows::{select_events, with_ticket_types},
};
use crate::{
    application::{EventFilter, Kind},
    domain::{Event, IssuedTicket},
};

/// A list may take a second and one core. A text without three letters or digits in a row has no
/// trigram, so it is looked for event by event.
const LIMIT_LIST: &str = "
    SELECT set_config('statement_timeout', '1s', true),
           set_config('max_parallel_workers_per_gather', '0', true)";

/// The event with this id.
pub(super) async fn event(pool: &Pool, id: EventId) -> Result<Option<Event>, StoreError> {
    const SELECT: &str = select_events!("WHERE event_id = $1");
    let mut connection = pool.acquire().await?;
    let row = sqlx::query(SELECT).bind(id.0).fetch_optional(&mut connection).await?;
    let event = with_ticket_types(&mut connection, row.as_slice()).await?.one()?;
    Ok(event.map(|(event, _)| event))
}

/// The first events that meet this condition on stage and time, and the filter.
macro_rules! page_of {
    ($stage_and_time:literal) => {
        concat!(
            "(SELECT event_id, starts_at FROM event WHERE ",
            $stage_and_time,
            " AND ($2::uuid IS NULL OR organiser_id = $2)
              AND ($4::text IS NULL OR title ILIKE $4 OR venue ILIKE $4)
              AND ($5::timestamptz IS NULL OR starts_at >= $5)
              AND ($6::timestamptz IS NULL OR starts_at <= $6)
              AND ($7::timestamptz IS NULL OR (starts_at, event_id) > ($7, $8))
            ORDER BY starts_at, event_id
            LIMIT $9)"
        )
    };
}

/// A query for the events that these select.
macro_rules! select_page {
    ($pages:expr) => {
        select_events!(listed concat!(
            "WHERE event_id = ANY (ARRAY(SELECT event_id FROM (",
            $pages,
            ") AS page ORDER BY starts_at, event_id LIMIT $9)) ORDER BY starts_at, event_id"
        ))
    };
}

/// The events of a page, soonest first, without their descriptions and without unreadable ones. The
/// database gives up after 1 s.
pub(super) async fn events(
    pool: &Pool,
    filter: &EventFilter,
    at: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    // Two parts, each with an index of its own: an index by start alone would read every event that
    // is over, and one by end alone every event to come.
    const UPCOMING: &str = select_page!(concat!(
        page_of!("stage = $1 AND tstzrange(starts_at, over_at) @> $3::timestamptz"),
        " UNION ALL ",
        page_of!("stage = $1 AND starts_at > $3"),
    ));
    // What is over has begun: without that, a page from a day to come reads all events after it.
    const OTHERS: &str = select_page!(page_of!(
        "stage = $1 AND ($3::timestamptz IS NULL OR (over_at <= $3 AND starts_at <= $3))"
    ));
    let (select, stage, organiser, at) = match filter.kind {
        Kind::DraftsOf(organiser) => (OTHERS, "draft", organiser, None),
        Kind::Upcoming => (UPCOMING, "published", None, Some(at)),
        Kind::Cancelled => (OTHERS, "cancelled", None, None),
        Kind::Ended => (OTHERS, "published", None, Some(at)),
    };
    let mut transaction = pool.begin().await?;
    sqlx::query(LIMIT_LIST).execute(&mut *transaction).await?;
    let limit = usize::from(filter.limit);
    let (mut found, mut after) = (vec![], filter.after.map(|(starts_at, id)| (starts_at, id.0)));
    // As long as unreadable rows leave a page unfilled, the next rows are read.
    loop {
        let rows = sqlx::query(select)
            .bind(stage)
            .bind(organiser.map(|user| user.0))
            .bind(at)
            .bind(filter.text.as_deref().map(containing))
            .bind(filter.from)
            .bind(filter.to)
            .bind(after.map(|(starts_at, _)| starts_at))
            .bind(after.map(|(_, id)| id))
            .bind(i64::from(filter.limit))
            .fetch_all(&mut *transaction)
            .await?;
        let events = with_ticket_types(&mut transaction, &rows).await?.found;
        found.extend(events.into_iter().map(|(event, _)| event));
        let Some(last) = rows.last().filter(|_| rows.len() == limit && found.len() < limit) else {
            transaction.commit().await?;
            found.truncate(limit);
            return Ok(found);
        };
        after = Some((last.try_get("starts_at")?, last.try_get("event_id")?));
    }
}

/// The ticket with this code, with what its hold and its event say of it.
pub(super) async fn ticket(
    pool: &Pool,
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
