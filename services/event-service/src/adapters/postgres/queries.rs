//! What is looked at: events, tickets and holds.

use std::cmp::Reverse;

use async_trait::async_trait;
use karcis_database::{Connection, Loaded, Pool, StoreError};
use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId, Timestamp, UserId};
use serde::Deserialize;
use sqlx::{Row as _, types::Json};
use uuid::Uuid;

use super::{
    PgEvents,
    holds::{HOLD, IssuedTicketRow},
    rows::{select_events, with_ticket_types},
};
use crate::{
    application::{EventFilter, HeldItem, HoldStory, Holds, Kind},
    domain::{Event, IssuedTicket},
};

/// A list may take a second and one core. A word without three letters or digits in a row may have no
/// trigram, so that it is looked for event by event.
pub(super) const LIMIT_LIST: &str = "
    SELECT set_config('statement_timeout', '1s', true),
           set_config('max_parallel_workers_per_gather', '0', true)";

/// How many words of a search are looked up in the index.
const INDEXED_WORDS: usize = 3;

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
    ($stage_and_time:expr, $after:literal, $order:literal) => {
        concat!(
            "(SELECT event_id, starts_at FROM event WHERE ",
            $stage_and_time,
            " AND ($2::uuid IS NULL OR organiser_id = $2)
              AND ($10::text IS NULL OR search_text LIKE $10)
              AND ($11::text IS NULL OR search_text LIKE $11)
              AND ($12::text IS NULL OR search_text LIKE $12)
              AND ($4::text[] IS NULL OR search_text LIKE ALL ($4))
              AND ($5::timestamptz IS NULL OR starts_at >= $5)
              AND ($6::timestamptz IS NULL OR starts_at < $6)
              AND ($7::timestamptz IS NULL OR (starts_at, event_id) ",
            $after,
            " ($7, $8)) ORDER BY ",
            $order,
            " LIMIT $9)"
        )
    };
}

/// A query for the events that these select.
macro_rules! select_page {
    ($pages:expr, $order:literal) => {
        select_events!(listed concat!(
            "WHERE event_id = ANY (ARRAY(SELECT event_id FROM (", $pages, ") AS page ORDER BY ",
            $order, " LIMIT $9)) ORDER BY ", $order
        ))
    };
}

macro_rules! soonest_first {
    ($first:literal, $second:literal) => {
        select_page!(
            concat!(
                page_of!($first, ">", "starts_at, event_id"),
                " UNION ALL ",
                page_of!($second, ">", "starts_at, event_id"),
            ),
            "starts_at, event_id"
        )
    };
}

macro_rules! newest_first {
    ($stage_and_time:literal) => {
        select_page!(
            page_of!($stage_and_time, "<", "starts_at DESC, event_id DESC"),
            "starts_at DESC, event_id DESC"
        )
    };
}

/// The events of a page, without their descriptions and without unreadable ones. The database gives up
/// after 1 s.
pub(super) async fn events(
    pool: &Pool,
    filter: &EventFilter,
    at: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let (select, stage, at) = select(filter.kind, at);
    let mut transaction = pool.begin().await?;
    sqlx::query(LIMIT_LIST).execute(&mut *transaction).await?;
    let patterns = match &filter.text {
        Some(text) => patterns(&mut transaction, text).await?,
        None => vec![],
    };
    // The longest have the most trigrams: the index finds what has them, the rest is compared.
    let (indexed, compared) = patterns.split_at(patterns.len().min(INDEXED_WORDS));
    let limit = usize::from(filter.limit);
    let (mut found, mut after) = (vec![], filter.after.map(|(starts_at, id)| (starts_at, id.0)));
    // As long as unreadable rows leave a page unfilled, the next rows are read.
    loop {
        let mut query = sqlx::query(select)
            .bind(stage)
            .bind(filter.organiser.map(|user| user.0))
            .bind(at)
            .bind((!compared.is_empty()).then_some(compared))
            .bind(filter.from)
            .bind(filter.to)
            .bind(after.map(|(starts_at, _)| starts_at))
            .bind(after.map(|(_, id)| id))
            .bind(i64::from(filter.limit));
        for place in 0..INDEXED_WORDS {
            query = query.bind(indexed.get(place));
        }
        let rows = query.fetch_all(&mut *transaction).await?;
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

/// The query for events of this kind, with its stage and time.
fn select(kind: Kind, at: Timestamp) -> (&'static str, Option<&'static str>, Option<Timestamp>) {
    // Two parts, each with an index of its own: an index by start alone would read every event that
    // is over, and one by end alone every event to come.
    const UPCOMING: &str = soonest_first!(
        "stage = $1 AND tstzrange(starts_at, over_at) @> $3::timestamptz",
        "stage = $1 AND starts_at > $3"
    );
    // What is over has begun: without that, a page before a day to come reads all events after it.
    const OF_A_STAGE: &str = newest_first!(
        "stage = $1 AND ($3::timestamptz IS NULL OR (over_at <= $3 AND starts_at <= $3))"
    );
    const CANCELLED: &str = newest_first!(
        "stage = $1 AND $3::timestamptz IS NULL
         AND ($2::uuid IS NOT NULL OR COALESCE(cancelled_in_public, booked))"
    );
    const ALL: &str = newest_first!("$1::text IS NULL AND $3::timestamptz IS NULL");
    match kind {
        Kind::All => (ALL, None, None),
        Kind::Drafts => (OF_A_STAGE, Some("draft"), None),
        Kind::Upcoming => (UPCOMING, Some("published"), Some(at)),
        Kind::Cancelled => (CANCELLED, Some("cancelled"), None),
        Kind::Ended => (OF_A_STAGE, Some("published"), Some(at)),
    }
}

/// The patterns of the words in this text, the longest first. The database folds them, as it does what is
/// searched.
async fn patterns(connection: &mut Connection, text: &str) -> Result<Vec<String>, StoreError> {
    const FOLD: &str = "SELECT DISTINCT folded(word) FROM UNNEST($1::text[]) AS word";
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut words: Vec<String> = sqlx::query_scalar(FOLD).bind(words).fetch_all(connection).await?;
    words.retain(|word| !word.is_empty());
    words.sort_by_key(|word| Reverse(word.len()));
    Ok(words.iter().map(|word| containing(word)).collect())
}

/// The ticket with this code, with what its hold and its event, which may be gone, say of it.
pub(super) async fn ticket(
    pool: &Pool,
    code: &TicketCode,
) -> Result<Option<IssuedTicket>, StoreError> {
    const SELECT: &str = "
        SELECT ticket.booking_id, ticket.ticket_type_id, ticket.used_at IS NOT NULL AS is_used,
               hold.event_id, hold.state, hold.reservation,
               event.cancel_reason, event.title, event.venue, event.starts_at, event.time_zone
        FROM ticket
        JOIN hold ON hold.booking_id = ticket.booking_id
        LEFT JOIN event ON event.event_id = hold.event_id
        WHERE ticket.code = $1";
    let code = Uuid::from_u128(code.bits());
    let row = sqlx::query(SELECT).bind(code).fetch_optional(pool).await?;
    Loaded::read(HOLD, "booking_id", row.as_slice(), IssuedTicketRow::ticket).one()
}

/// The LIKE pattern for texts that contain this one. Its wildcards stand for themselves.
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

#[derive(sqlx::FromRow)]
struct HoldStoryRow {
    event_id: Uuid,
    user_id: Option<Uuid>,
    state: String,
    reason: Option<String>,
    items: Option<Json<Vec<StoredItem>>>,
    tickets: i64,
    used_tickets: i64,
    created_at: Timestamp,
    changed_at: Timestamp,
}

/// As column `reservation` keeps it.
#[derive(Deserialize)]
struct StoredItem {
    ticket_type_id: TicketTypeId,
    name: String,
    quantity: u32,
}

#[async_trait]
impl Holds for PgEvents {
    async fn find(&self, booking: BookingId) -> Result<Option<HoldStory>, StoreError> {
        let row: Option<HoldStoryRow> = sqlx::query_as(
            "SELECT event_id, user_id, state, reason, reservation -> 'items' AS items, created_at,
                 changed_at,
                 (SELECT count(*) FROM ticket WHERE ticket.booking_id = hold.booking_id) AS tickets,
                 (SELECT count(used_at) FROM ticket WHERE ticket.booking_id = hold.booking_id)
                     AS used_tickets
             FROM hold WHERE booking_id = $1",
        )
        .bind(booking.0)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.story(booking)))
    }
}

impl HoldStoryRow {
    fn story(self, booking_id: BookingId) -> HoldStory {
        let items = self.items.map(|Json(items)| items).unwrap_or_default().into_iter();
        let item = |StoredItem { ticket_type_id, name, quantity }| HeldItem {
            ticket_type_id,
            name,
            quantity,
        };
        HoldStory {
            booking_id,
            event_id: EventId(self.event_id),
            user_id: self.user_id.map(UserId),
            state: self.state,
            reason: self.reason,
            items: items.map(item).collect(),
            tickets: self.tickets,
            used_tickets: self.used_tickets,
            created_at: self.created_at,
            changed_at: self.changed_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(containing(r"100%_a\b"), r"%100\%\_a\\b%");
    }
}
